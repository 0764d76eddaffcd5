"""What is built from elsewhere is whole, small, and made again only when its sources change."""

import gzip
import re

import build_ui
import messages
import npm_tarballs
import pytest
import zstandard
from uswds_css import UnknownColor, subset

from continuum.ui import assets

SHEET = """
html{ line-height:1.15; }
.usa-button{ color:white; background-color:#005ea2; }
.usa-button,.usa-other{ border:1px solid #005EA2; }
.usa-button:not(.usa-other){ margin:0; }
.usa-other{ color:#123456; }
@media (min-width: 40em){ .usa-button{ background:white; } .usa-other{ top:0; } }
@media print{ .usa-other{ top:0; } }
.usa-button::before{ background-image:url("../img/x--white.svg"); }
"""
WANTED = {"classes": ["usa-button"], "without": [], "colors": {"#005ea2": "accent"}}


def test_only_rules_of_wanted_classes_stay_and_colors_become_names():
    made = subset(SHEET, WANTED, {"img/x--white.svg": b"<svg/>"})
    assert "usa-other" not in made
    assert ".usa-button{color:var(--on-accent);background-color:var(--accent)}" in made
    assert ".usa-button{border:1px solid var(--accent)}" in made
    assert "@media (min-width: 40em){.usa-button{background:var(--paper)}}" in made
    assert "print" not in made
    assert "data:image/svg+xml;base64,PHN2Zy8+" in made
    assert "html{line-height:1.15}" in made


def test_a_color_that_dark_would_not_know_stops_the_build():
    with pytest.raises(UnknownColor, match="#123456"):
        subset(SHEET, {**WANTED, "classes": ["usa-button", "usa-other"]}, {"img/x--white.svg": b""})


def test_the_built_sheet_has_no_color_or_address_of_its_own():
    css = (build_ui.BUILT / "uswds.css").read_text()
    without_images = re.sub(r'url\("data:[^"]*"\)', "", css)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", without_images) == []
    assert re.findall(r"url\((?!\"\")[^)]*\)", without_images) == []
    names = set(re.findall(r"var\((--[a-z-]+)\)", css))
    tokens = (build_ui.UI / "styles" / "tokens.css").read_text()
    assert {name for name in names if f"{name}:" not in tokens} == set()


def test_a_second_build_has_nothing_to_do():
    assert build_ui.ready(), "run `make setup`"


def test_the_folder_says_whose_work_it_holds():
    notice = (build_ui.BUILT / "NOTICE").read_text()
    assert build_ui.package("uswds").version in notice
    assert "CC0" in notice
    assert "Zero-Clause BSD" in notice


def test_every_text_is_translated_and_every_translation_is_of_a_text():
    wanted = {message.id for message in messages.extracted() if message.id}
    assert len(wanted) > 200
    catalogues = build_ui.catalogues()
    assert catalogues
    for path in catalogues:
        catalogue = messages.present(path)
        texts = {message.id: message for message in catalogue if message.id}
        assert set(texts) == wanted, "run `make messages` and translate what is new"
        for message in texts.values():
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            assert all(strings), f"{path}: {message.id} has no translation"
            assert not message.fuzzy, message.id
            placeholders = [set(re.findall(r"%\((\w+)\)", text)) for text in (*strings,)]
            given = message.id if isinstance(message.id, tuple) else (message.id,)
            assert all(found == set(re.findall(r"%\((\w+)\)", given[-1])) for found in placeholders), message.id


def test_assets_fit_the_budget_of_the_first_visit():
    sizes = {name: len(asset.gzip) for name, asset in assets.assets().items()}
    assert sum(sizes.values()) <= 60 * 1024, sizes


def test_an_address_changes_with_its_content_and_every_encoding_is_the_same():
    one, other = assets._asset("a.css", b"a{}" * 99), assets._asset("a.css", b"b{}" * 99)  # noqa: SLF001  the maker of all of them
    assert one.path != other.path
    assert gzip.decompress(one.gzip) == zstandard.ZstdDecompressor().decompress(one.zstd) == one.plain
    assert one.encoded("gzip, br") == (one.gzip, "gzip")
    assert one.encoded("br;q=1.0, gzip;q=0.8, zstd") == (one.zstd, "zstd")
    assert one.encoded("") == (one.plain, "")


def test_the_registry_is_the_one_that_npm_is_told(tmp_path):
    (tmp_path / ".npmrc").write_text("fund=false\nregistry=https://mirror.example/npm/\n")
    assert npm_tarballs.registry({"HOME": str(tmp_path)}) == "https://mirror.example/npm"
    assert (
        npm_tarballs.registry({"HOME": str(tmp_path), "npm_config_registry": "https://b.example"})
        == "https://b.example"
    )
    assert npm_tarballs.registry({"HOME": str(tmp_path / "nobody")}) == npm_tarballs.PUBLIC_REGISTRY


def test_a_tarball_that_is_not_the_pinned_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(npm_tarballs, "CACHE", tmp_path)
    package = npm_tarballs.Package("@scope/name", "1.0.0", "x" * 88)
    assert package.tarball == "@scope/name/-/name-1.0.0.tgz"
    (tmp_path / "@scope+name-1.0.0.tgz").write_bytes(b"something else")
    monkeypatch.setenv("npm_config_registry", "ftp://nowhere.example")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(npm_tarballs.CannotFetch, match="could not be downloaded"):
        npm_tarballs.fetch(package)
