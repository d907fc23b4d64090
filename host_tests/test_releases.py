"""A release is the same in change log, package and tag, and the change log says which schema its store has."""

import re
import subprocess
import tomllib
from pathlib import Path

from phoneterm_bridge.store.schema import known_schemas

_ROOT = Path(__file__).parents[1]
_PARTS = re.split(r"^## ", (_ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1:]
_RELEASES = {part.split(" - ")[0]: part for part in _PARTS if not part.startswith("Unreleased")}


def test_the_newest_part_of_the_change_log_names_the_schema_of_the_store():
    assert f"\nThe store has schema {known_schemas()[-1]}.\n" in _PARTS[0]
    for version, part in _RELEASES.items():
        assert re.search(r"^The store has schema \d{4}\.$", part, re.MULTILINE), version


def test_every_release_has_a_day_and_the_newest_is_the_packages_version():
    for version, part in _RELEASES.items():
        assert re.match(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d\n", part), version
    package = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert package == next(iter(_RELEASES), package)


def test_every_tag_of_a_version_is_in_the_change_log():
    """A copy without the history has no tags."""
    listed = subprocess.run(["git", "tag", "--list", "v*"], cwd=_ROOT, capture_output=True, text=True, check=False)
    assert {tag.removeprefix("v") for tag in listed.stdout.split()} <= set(_RELEASES)
