# Two commands for people: `make demo` and `make test`. Everything they need they set up themselves.
PORT ?= 8000
DATA ?= .continuum
PYTHON ?= python3
BIN := .venv/bin
export PORT DATA

.PHONY: demo test proof lint setup lock bench clean

setup: .venv/.ready

.venv/.ready: requirements/dev.lock pyproject.toml
	@$(PYTHON) scripts/setup_venv.py
	@touch $@

demo: .venv/.ready
	@exec $(BIN)/continuum demo --port $(PORT) --data $(DATA)

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

test: .venv/.ready lint
	$(BIN)/pytest -n 2 -m "not proof"

proof: .venv/.ready
	$(BIN)/pytest -m proof

bench: .venv/.ready
	$(BIN)/python -m benchmarks.run

lock: .venv/.ready
	$(PYTHON) scripts/lock.py

clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
