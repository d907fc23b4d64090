"""Builds MicroPython with the firmware frozen in, by MicroPython's own build in Espressif's container.

Does not build anything itself, and writes nothing to a board. `boards/<BOARD>/mpconfigboard.cmake` says how the image
differs from MicroPython's own for that board, and `manifest.py` beside it says what is frozen in. The container may
read boards and firmware, and write one folder. A description lies beside the image: {"board", "version",
"micropython", "idf", "flash_offset", "bytes", "sha256"}. A failed build raises ImageFailed, with a sentence.
"""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firmware_build.build_day import BadBuildDay, find_build_day
from firmware_build.flash_image import FlashImage, NotAnImage, parse_flash_image
from firmware_build.version import read_version

MICROPYTHON_TAG = "v1.28.0"
IDF_TAG = "v5.5.1"  # as ports/esp32/README.md of that MicroPython recommends
CONTAINER = f"docker.io/espressif/idf:{IDF_TAG}"
ENGINES = ("docker", "podman")
_SOURCE = "https://github.com/micropython/micropython"
_GIVEN_THERE, _MADE_THERE = "/phoneterm", "/made"
_PROJECT_THERE, _WORK_THERE = "/tmp/phoneterm", "/tmp/micropython"  # noqa: S108 - in the container
_READ = ("boards", "firmware")
_OURS = ("manifest.py", "mpconfigboard.cmake", "mpconfigboard.h")

_SCRIPT = """\
set -e
cp -r {given} {project}
sed -i 's/^BUILT_DAY = .*/BUILT_DAY = {day}/' {project}/firmware/phoneterm/device/clock.py
git clone --depth 1 --branch {tag} {source} {work}
make -C {work}/mpy-cross
make -C {work}/ports/esp32 BOARD_DIR={board} FROZEN_MANIFEST={board}/manifest.py submodules
make -C {work}/ports/esp32 BOARD_DIR={board} FROZEN_MANIFEST={board}/manifest.py
cp {work}/ports/esp32/build-{name}/firmware.bin {made}/{name}.bin
"""


class ImageFailed(Exception):
    """The sentence says why there is no image, and what to do."""


@dataclass(frozen=True)
class Recipe:
    """What to build: the board's name, the project's folder, the image's folder, the flash offset."""

    name: str
    project: Path
    target: Path
    flash_offset: str

    @property
    def image(self) -> Path:
        """Return the path of the image."""
        return self.target / f"{self.name}.bin"

    @property
    def script(self) -> str:
        """Return the container's script, which works on a copy that has the day of the build."""
        return _SCRIPT.format(
            tag=MICROPYTHON_TAG, source=_SOURCE, work=_WORK_THERE, made=_MADE_THERE, name=shlex.quote(self.name),
            board=shlex.quote(f"{_PROJECT_THERE}/boards/{self.name}"), given=_GIVEN_THERE, project=_PROJECT_THERE,
            day=find_build_day(),
        )  # fmt: skip


def make_recipe(board_folder: Path, target: Path) -> Recipe:
    """Return how to build a board's image; ImageFailed when the folder does not say."""
    try:
        find_build_day()
    except BadBuildDay as problem:
        raise ImageFailed(str(problem)) from None
    folder = board_folder.resolve()
    try:
        document = json.loads((folder / "board.json").read_text(encoding="utf-8"))
        flash_offset = document["deploy_options"]["flash_offset"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ImageFailed(
            f"{folder.name}/board.json does not say where an image goes (deploy_options.flash_offset): an image is for "
            "a real board."
        ) from None
    missing = [name for name in _OURS if not (folder / name).is_file()]
    if missing:
        raise ImageFailed(f"{folder.name} lacks {missing[0]}: copy it from the board folder that is most like it.")
    project = folder.parents[1]
    if folder.parent.name != "boards" or not (project / "firmware" / "manifest.py").is_file():
        raise ImageFailed(f"The folder {folder.name} must lie in `boards`, beside the folder `firmware` that it takes.")
    return Recipe(folder.name, project, target.resolve(), str(flash_offset))


def make_command(engine: str, recipe: Recipe) -> list[str]:
    """Return the command line that builds the image; the files will belong to the caller."""
    user = f"{os.getuid()}:{os.getgid()}"
    as_caller = ["--userns", "keep-id"] if engine == "podman" and os.getuid() else []
    return [
        engine, "run", "--rm", *as_caller, "--user", user, "--env", "HOME=/tmp",
        *(word for name in _READ for word in ("--volume", f"{recipe.project / name}:{_GIVEN_THERE}/{name}:ro")),
        "--volume", f"{recipe.target}:{_MADE_THERE}",
        CONTAINER, "bash", "-c", recipe.script,
    ]  # fmt: skip


def find_engine(engines: tuple[str, ...] = ENGINES) -> str:
    """Return a container engine that answers; ImageFailed when there is none."""
    for engine in filter(shutil.which, engines):
        if subprocess.run([engine, "version"], capture_output=True, check=False).returncode == 0:
            return engine
    raise ImageFailed(
        f"No container engine answers here ({', '.join(engines)}): install and start one, or take an image that was "
        "built elsewhere: make flash BOARD= IMAGE=FILE."
    )


def build(recipe: Recipe, engine: str, run: Callable[[list[str]], int]) -> FlashImage:
    """Build the image, check that it has the firmware in it, and describe it; `run` returns an exit code."""
    version = read_version(recipe.project / "firmware")
    recipe.target.mkdir(parents=True, exist_ok=True)
    for old in (recipe.image, recipe.image.with_suffix(".json")):
        old.unlink(missing_ok=True)
    code = run(make_command(engine, recipe))
    if code != 0 or not recipe.image.is_file():
        raise ImageFailed(f"The build ended with code {code} and made no image; its own words are above.")
    content = recipe.image.read_bytes()
    try:
        image = parse_flash_image(content, int(recipe.flash_offset, 0))
    except NotAnImage as problem:
        raise ImageFailed(f"What the build has made {problem}.") from None
    if not image.has_firmware:
        raise ImageFailed("The build has made an image without the firmware: is the board's manifest.py complete?")
    _describe(recipe, version, content)
    return image


def _describe(recipe: Recipe, version: str, content: bytes) -> None:
    document = {
        "board": recipe.name,
        "version": version,
        "micropython": MICROPYTHON_TAG,
        "idf": IDF_TAG,
        "flash_offset": recipe.flash_offset,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    recipe.image.with_suffix(".json").write_text(json.dumps(document, indent=2) + "\n")
