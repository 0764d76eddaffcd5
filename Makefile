# Two commands for people: `make demo` and `make test`. Everything they need they set up themselves.
#   make demo    a server with sample patients: PORT=8000 DATA=.continuum make demo
#   make test    lint, types, layers and every test that is quick (15 minutes at most)
#   make proof   what takes longer: kills, races, the short form of the benchmarks
#   make bench   the figures, as a table
#   make lint    what a machine can say about the code without running it
#   make docs    docs/reference/ from the code
#   make messages  new texts into the catalogues of translations
#   make lock    new versions into requirements/*.lock
#   make setup   only .venv, with what tests and tools need
PORT ?= 8000
DATA ?= .continuum
PYTHON ?= python3
# One more than the cores of a small machine: tests in a browser wait as long as they work.
PYTEST_WORKERS ?= 3
BIN := .venv/bin
# A worker has files in a row, whose fixtures it makes once, and takes from another only when it is done.
IN_PARALLEL = -n $(PYTEST_WORKERS) --dist worksteal
# Tests start hundreds of processes; each compiles everything again where the environment says to keep nothing compiled.
COMPILED = env -u PYTHONDONTWRITEBYTECODE
IN_MEMORY = $(COMPILED) TMPDIR=$$($(BIN)/python scripts/memory_disk.py)
export PORT DATA

.PHONY: demo test proof lint compiled setup setup-run setup-test docs messages lock bench clean

# Both ask a stamp file first: nothing to do takes a twentieth of a second and no network.
setup-run:
	@$(PYTHON) scripts/setup_venv.py run
	@$(BIN)/python scripts/build_ui.py

setup:
	@$(PYTHON) scripts/setup_venv.py dev
	@$(BIN)/python scripts/build_ui.py

setup-test: setup
	@$(BIN)/python scripts/system_packages.py
	@$(BIN)/python scripts/build_ui.py tests
	@$(BIN)/python scripts/node_packages.py tests/clients/node

# The second start is quick because the first one keeps what it compiled, also where the environment says not to.
demo: setup-run
	@exec env -u PYTHONDONTWRITEBYTECODE $(BIN)/continuum demo --port "$(PORT)" --data "$(DATA)"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# What tests load is compiled once, on the core that the lint leaves free, and not by each worker; what is wrong with it
# the run itself says.
compiled: setup-test
	@$(COMPILED) $(BIN)/pytest --collect-only -m "not proof" > /dev/null 2>&1 || true

# All tests on the embedded PostgreSQL, and those beside the code, which is where SQL is, on a second one.
test: setup-test
	@$(MAKE) --no-print-directory -j2 lint compiled
	$(IN_MEMORY) $(BIN)/pytest $(IN_PARALLEL) -m "not proof"
	$(IN_MEMORY) $(BIN)/python scripts/second_postgres.py $(BIN)/pytest $(IN_PARALLEL) -m "not proof" src

# What takes long, on a real disk; then every test that uses a database on the second PostgreSQL.
proof: setup-test
	$(COMPILED) $(BIN)/pytest -m proof
	$(IN_MEMORY) $(BIN)/python scripts/second_postgres.py $(BIN)/pytest $(IN_PARALLEL) -m "not proof"

bench: setup
	$(COMPILED) $(BIN)/python -m benchmarks.run

docs: setup
	$(BIN)/python scripts/reference.py

messages: setup
	$(BIN)/python scripts/messages.py

lock: setup
	$(BIN)/python scripts/lock.py

clean:
	rm -rf .venv .cache src/continuum/ui/built .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis tests/clients/node/node_modules
