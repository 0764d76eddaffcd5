"""Figures of proofs: how many rounds, which seed, and the page that a proof writes about itself.

`make proof` runs few rounds. The environment asks for more, `CONTINUUM_PROOF_KILLS=300`, and `CONTINUUM_PROOF_SEED`
sets the seed. A proof that ran the rounds that were promised writes its page, before it judges, so that a failure
stands on the page too; one of fewer rounds leaves the page of the full run as it is. `CONTINUUM_PROOF_PAGES` names
another folder, into which every run writes, so that the page of a short run can be looked at as well.
"""

import os
import platform
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "proof"
ELSEWHERE = os.environ.get("CONTINUUM_PROOF_PAGES", "")
SEED = int(os.environ.get("CONTINUUM_PROOF_SEED", "20261123"))


def rounds(name: str, few: int) -> int:
    """How many rounds of a proof to run: `CONTINUUM_PROOF_<NAME>`, or a few."""
    return int(os.environ.get(f"CONTINUUM_PROOF_{name}", str(few)))


def percentile(values, share: float) -> float:
    """The value that `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass
class Proof:
    """What one proof measured. settings: its rounds; promised: the rounds from which on it writes its page.

    parts: how many tests share the page; it is written when all of them were judged.
    """

    name: str
    title: str
    story: str
    test: str
    settings: dict[str, int]
    promised: dict[str, int]
    seed: int = SEED
    parts: int = 0
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    _judged: int = 0
    _told: int = 0
    _began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def told(self, what: str, measured: object) -> None:
        """A figure without a bound."""
        self.rows.append((what, "", shown(measured)))

    def held(self, what: str, measured: object, bound: str, *, holds: bool) -> None:
        """A figure and its bound; what does not hold fails the proof in `close`."""
        self.rows.append((what, bound, shown(measured) if holds else f"**{shown(measured)}: does not hold**"))
        if not holds:
            self.broken.append(f"{what}: {shown(measured)}, not {bound}")

    def zero(self, what: str, found: list | int) -> None:
        """Something that may not happen: how often it did, or what was found."""
        count = found if isinstance(found, int) else len(found)
        self.held(what, count, "0", holds=count == 0)
        if count and not isinstance(found, int):
            self.broken += [f"    {one}" for one in found[:5]]

    def close(self) -> None:
        """Writes the page if the run was a full one, then fails if something did not hold."""
        self.write()
        self.judge()

    def judge(self) -> None:
        """Fails if something did not hold since it was last asked."""
        self._judged += 1
        new, self._told = self.broken[self._told :], len(self.broken)
        assert not new, "\n".join(new)

    def write(self) -> None:
        """Writes the page if the run was a full one, of all parts."""
        page = self._page()
        print(page)  # noqa: T201  pytest shows it when the proof fails, or with -s
        if self._judged < self.parts:
            return
        if ELSEWHERE or all(self.settings[name] >= least for name, least in self.promised.items()):
            folder = Path(ELSEWHERE) if ELSEWHERE else PAGES
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{self.name}.md").write_text(page, encoding="utf-8")

    def _page(self) -> str:
        ended = datetime.now(UTC)
        chosen = {**self.settings, "SEED": self.seed}
        given = " ".join(f"CONTINUUM_PROOF_{name}={value}" for name, value in chosen.items())
        machine = (
            f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, load {os.getloadavg()[0]:.1f}"
            f" at the end; Python {platform.python_version()}; commit {_commit()}"
        )
        lines = [
            f"# {self.title}", "",
            f"<!-- Written by the proof itself ({self.test}); run it again, do not edit. -->", "",
            self.story.strip(), "",
            "| Figure | Bound | Measured |", "|---|---|---|",
            *(f"| {what} | {bound} | {measured} |" for what, bound, measured in self.rows), "",
            f"- Command: `{given} .venv/bin/pytest -m proof {self.test}`",
            f"- Seed: {self.seed}",
            f"- Date: {self._began:%Y-%m-%d %H:%M} UTC, {(ended - self._began).total_seconds():.0f} s",
            f"- Machine: {machine}", "",
        ]  # fmt: skip
        return "\n".join(lines)


def shown(value: object) -> str:
    """A figure as a page shows it."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}" if isinstance(value, float) else str(value)


def _commit() -> str:
    asked = ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or "not known"
