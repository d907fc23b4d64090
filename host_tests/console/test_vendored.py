"""What the pages take from npm is what the lock file names, byte for byte, and the wheel has all that they need."""

import json
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import desk_lab.page
import phoneterm_bridge.console
import pytest

_ROOT = Path(__file__).parents[2]
_CONSOLE = Path(phoneterm_bridge.console.__file__).parent
_DESK_PAGE = Path(desk_lab.page.__file__).parent
_VENDOR = _CONSOLE / "static" / "vendor"


def test_the_vendored_file_is_the_one_that_the_lock_names(need_npm_packages):
    package = need_npm_packages / "idiomorph"
    assert (_VENDOR / "idiomorph.esm.js").read_bytes() == (package / "dist" / "idiomorph.esm.js").read_bytes()
    assert (_VENDOR / "idiomorph.LICENSE").read_bytes() == (package / "LICENSE").read_bytes()
    lock = json.loads((_CONSOLE / "package-lock.json").read_text())["packages"]
    assert json.loads((package / "package.json").read_text())["version"] == lock["node_modules/idiomorph"]["version"]


def test_the_lock_names_no_address_and_a_hash_for_every_package():
    packages = json.loads((_CONSOLE / "package-lock.json").read_text())["packages"]
    for name, package in packages.items():
        assert "resolved" not in package
        assert not name or package["integrity"].startswith("sha512-")


@pytest.mark.parametrize("pages", [_CONSOLE, _DESK_PAGE], ids=lambda pages: pages.name)
def test_the_wheel_has_every_file_that_a_page_needs(pages):
    patterns = tomllib.loads((_ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for folder in ("templates", "static"):
        for path in (pages / folder).rglob("*"):
            name = str(path.relative_to(pages.parent))
            is_taken = any(
                fnmatch(name, one) and name.count("/") == one.count("/") for one in patterns[pages.parent.name]
            )
            assert path.is_dir() or is_taken, f"{name} is not in the wheel"
