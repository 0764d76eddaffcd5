"""Builds what the design system takes from elsewhere into `src/continuum/ui/built/`; nothing of it is committed.

    python scripts/build_ui.py          what the product needs
    python scripts/build_ui.py tests    that, and the judge of accessibility that tests run in the browser

Out of the U.S. Web Design System come the rules of the classes that `ui/uswds.toml` names, with its colours as
custom properties, so that dark is the same rules with other values; its icons as one file; and its fonts, for printed
pieces. htmx comes as it is published. The catalogues of translations are compiled. A stamp makes the second run
instant and offline.
"""

import hashlib
import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from npm_tarballs import Package

ROOT = Path(__file__).resolve().parent.parent
UI = ROOT / "src" / "continuum" / "ui"
BUILT = UI / "built"
CSS = "dist/css/uswds.css"
HTMX = "dist/htmx.min.js"
FONTS = {f"{name}.ttf": f"dist/fonts/public-sans/PublicSans-{name}.ttf" for name in ("Regular", "SemiBold", "Bold")}
"""What printed pieces are set in; pages use the reader's own fonts."""
NOTICE = """\
Continuum ships parts of other people's work in this folder:

uswds.css, icons.svg   from the U.S. Web Design System {uswds}: a work of the U.S. Government (CC0-1.0),
                       with icons by Google (Apache-2.0) and rules from normalize.css (MIT)
htmx.js                htmx {htmx}, Zero-Clause BSD
fonts                  Public Sans, by its authors (SIL Open Font License 1.1)
"""


def plan() -> dict[str, Any]:
    """`uswds.toml`."""
    return tomllib.loads((UI / "uswds.toml").read_text(encoding="utf-8"))


def package(name: str) -> "Package":
    """One of the packages that `uswds.toml` pins."""
    from npm_tarballs import Package  # noqa: PLC0415  a look at the stamp needs no HTTP

    return Package(**plan()["packages"][name])


def catalogues() -> list[Path]:
    """The translations, one file for each language."""
    return sorted((UI / "locale").glob("*/LC_MESSAGES/*.po"))


def digest() -> str:
    """What is built depends on this and on nothing else."""
    sources = [Path(__file__), Path(__file__).with_name("uswds_css.py"), UI / "uswds.toml", *catalogues()]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()


def ready() -> bool:
    """Whether everything is built from what is there now."""
    stamp = BUILT / "stamp"
    return stamp.is_file() and stamp.read_text() == digest()


def sprite(icons: dict[str, bytes]) -> str:
    """All icons in one file, each a symbol under its own name.

    Args:
        icons: name → an icon's own SVG file, 24 by 24.
    """
    symbols = []
    for name, svg in sorted(icons.items()):
        inner = re.search(r"<svg[^>]*>(.*)</svg>", svg.decode("utf-8"), flags=re.DOTALL)
        assert inner is not None, name
        body = re.sub(r"<path d=\"M0 0h24v24H0V?z?\" fill=\"none\"/>", "", inner[1].strip())
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


def compile_catalogue(path: Path, to: Path) -> None:
    """One `.po` file as the `.mo` that gettext reads."""
    from babel.messages.mofile import write_mo  # noqa: PLC0415  not needed when nothing is to be built
    from babel.messages.pofile import read_po  # noqa: PLC0415  same

    with path.open("rb") as source:
        catalogue = read_po(source)
    to.parent.mkdir(parents=True, exist_ok=True)
    with to.open("wb") as target:
        write_mo(target, catalogue)


def build() -> None:
    """Builds everything beside the folder and puts it in place at once.

    Raises:
        CannotFetch: a package could not be had.
    """
    from npm_tarballs import read  # noqa: PLC0415  as above
    from uswds_css import subset  # noqa: PLC0415  its parser is not needed when nothing is to be built

    wanted = plan()
    uswds, htmx = package("uswds"), package("htmx")
    names = wanted["icons"]["names"]
    css = read(uswds, [CSS])[CSS].decode("utf-8")
    images = sorted(set(re.findall(r'url\("\.\./(img/[a-z0-9_/-]+\.svg)"\)', css)))
    files = read(uswds, [f"dist/{name}" for name in images] + [f"dist/img/usa-icons/{name}.svg" for name in names])
    fonts = read(uswds, list(FONTS.values()))
    script = read(htmx, [HTMX])[HTMX]
    with tempfile.TemporaryDirectory(dir=UI) as waiting:
        folder = Path(waiting) / "built"
        folder.mkdir()
        inlined = {name: files[f"dist/{name}"] for name in images}
        (folder / "uswds.css").write_text(subset(css, wanted["css"], inlined), encoding="utf-8")
        (folder / "icons.svg").write_text(sprite({name: files[f"dist/img/usa-icons/{name}.svg"] for name in names}))
        (folder / "htmx.js").write_bytes(script)
        (folder / "fonts").mkdir()
        for name, source in FONTS.items():
            (folder / "fonts" / name).write_bytes(fonts[source])
        (folder / "NOTICE").write_text(NOTICE.format(uswds=uswds.version, htmx=htmx.version))
        for catalogue in catalogues():
            compile_catalogue(catalogue, folder / catalogue.relative_to(UI).with_suffix(".mo"))
        (folder / "stamp").write_text(digest())
        shutil.rmtree(BUILT, ignore_errors=True)
        folder.rename(BUILT)


def main(arguments: list[str]) -> None:
    """Builds unless it is built; where it cannot be, this says so and ends well, because FHIR needs none of it."""
    built = ready()
    if built and "tests" not in arguments:
        return
    from npm_tarballs import CannotFetch, fetch  # noqa: PLC0415  as above

    try:
        if "tests" in arguments:
            fetch(package("axe"))
    except CannotFetch as failure:
        print(f"{failure} The tests of accessibility will not run.", file=sys.stderr)
    if built:
        return
    print("Building the design system …")
    try:
        build()
    except CannotFetch as failure:
        print(
            f"{failure}\nThe pages for people need it once, then never again; until then they answer 503 and the rest "
            "works. Is the npm registry reachable? `npm_config_registry` names another one.",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
