"""The recipe of an image with the firmware in it: the container's command, and the handling of its result.

The container itself does not run here: a program of the test takes its place.
"""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from board_check.board_file import BOARDS, find_boards
from firmware_build.cli import app
from firmware_build.micropython_image import IDF_TAG, MICROPYTHON_TAG, make_recipe
from firmware_build.whole_image import make_whole_image
from typer.testing import CliRunner

REAL = [folder.name for folder in find_boards() if folder.name != "VIRTUAL"]

# Stands in for docker: finds the mounted output folder, and puts the test's files there.
ENGINE = """#!/bin/sh
[ "$1" = version ] && exit {answers}
echo "$@" > {folder}/asked
for word in "$@"; do
  case "$word" in *:/made) made=${{word%:/made}};; esac
done
[ -e {folder}/image ] && cp {folder}/image "$made/ESP32_GENERIC.bin"
exit {code}
"""


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """Return a function that puts an engine on the path, and no other one."""

    def make(name="docker", answers=0, code=0, image=None):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(ENGINE.format(answers=answers, code=code, folder=tmp_path))
        (folder / name).chmod(0o755)
        for tool in ("sh", "cp"):
            if not (folder / tool).exists():
                (folder / tool).symlink_to(shutil.which(tool))
        if image is not None:
            (tmp_path / "image").write_bytes(image)
        monkeypatch.setenv("PATH", str(folder))

    return make


@pytest.fixture
def build(tmp_path):
    return lambda *arguments: CliRunner().invoke(app, ["image", "--to", str(tmp_path / "out"), *map(str, arguments)])


@pytest.mark.parametrize("name", REAL)
def test_a_dry_run_prints_the_command_and_starts_nothing(build, tmp_path, name):
    done = build(name, "--dry-run")
    assert done.exit_code == 0, done.stderr
    words = shlex.split(done.stdout)
    assert words[:3] == ["docker", "run", "--rm"]
    assert f"docker.io/espressif/idf:{IDF_TAG}" in words
    assert f"{os.getuid()}:{os.getgid()}" in words
    assert f"{tmp_path / 'out'}:/made" in words
    readable = [word for word in words if word.endswith(":ro")]
    assert readable == [f"{BOARDS}:/phoneterm/boards:ro", f"{BOARDS.parent}/firmware:/phoneterm/firmware:ro"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", REAL)
def test_the_script_is_one_for_a_shell_and_names_the_board_and_the_tag(tmp_path, name):
    script = make_recipe(BOARDS / name, tmp_path).script
    assert subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0
    assert f"--branch {MICROPYTHON_TAG} " in script
    line = f"BOARD_DIR=/tmp/phoneterm/boards/{name} FROZEN_MANIFEST=/tmp/phoneterm/boards/{name}/manifest.py"
    assert f"/ports/esp32 {line} submodules\n" in script
    assert f"/ports/esp32 {line}\n" in script
    assert f"build-{name}/firmware.bin /made/{name}.bin" in script


def test_the_container_puts_the_day_of_the_build_into_its_copy(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1900000000")
    lines = make_recipe(BOARDS / REAL[0], tmp_path).script.splitlines()
    copied, dated = (line for line in lines if "/tmp/phoneterm" in line and "make" not in line)
    assert copied == "cp -r /phoneterm /tmp/phoneterm"
    clock = tmp_path / "firmware/phoneterm/device/clock.py"
    clock.parent.mkdir(parents=True)
    shutil.copyfile(BOARDS.parent / "firmware/phoneterm/device/clock.py", clock)
    subprocess.run(["sh", "-c", dated.replace("/tmp/phoneterm", str(tmp_path))], check=True)
    assert "\nBUILT_DAY = 11033\n" in clock.read_text()


@pytest.mark.parametrize("name", REAL)
def test_the_board_is_micropythons_own_with_two_slots_and_without_bluetooth(name):
    cmake = (BOARDS / name / "mpconfigboard.cmake").read_text()
    assert f"include(${{CMAKE_SOURCE_DIR}}/boards/{name}/mpconfigboard.cmake)" in cmake
    assert "mpconfigvariant_OTA.cmake" in cmake or "boards/ESP32_GENERIC/sdkconfig.ota" in cmake
    assert "list(REMOVE_ITEM SDKCONFIG_DEFAULTS boards/sdkconfig.ble)" in cmake
    header = (BOARDS / name / "mpconfigboard.h").read_text()
    assert f'#include "boards/{name}/mpconfigboard.h"' in header
    assert "#define MICROPY_PY_BLUETOOTH (0)" in header


def test_what_the_container_makes_is_checked_and_described(build, engine, tmp_path):
    content = make_whole_image()
    engine(image=content)
    done = build("ESP32_GENERIC")
    assert done.exit_code == 0, done.stderr
    assert "with the firmware in it, 1024 of 1572864 bytes of a slot, 2 slots." in done.stdout
    assert (tmp_path / "out" / "ESP32_GENERIC.bin").read_bytes() == content
    document = json.loads((tmp_path / "out" / "ESP32_GENERIC.json").read_text())
    assert document["sha256"] == hashlib.sha256(content).hexdigest()
    assert (document["board"], document["micropython"], document["flash_offset"]) == (
        "ESP32_GENERIC", MICROPYTHON_TAG, "0x1000",
    )  # fmt: skip
    assert "git clone --depth 1" in (tmp_path / "asked").read_text()


def test_podman_is_taken_where_docker_does_not_answer(build, engine, tmp_path):
    engine(answers=1)
    engine("podman", image=make_whole_image())
    assert build("ESP32_GENERIC").exit_code == 0
    assert (tmp_path / "asked").exists()


@pytest.mark.parametrize("is_there", [False, True])
def test_no_engine_that_answers_is_one_sentence(build, engine, is_there, tmp_path, monkeypatch):
    if is_there:
        engine(answers=1)
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    done = build("ESP32_GENERIC")
    assert done.exit_code == 1
    assert done.stderr == (
        "No container engine answers here (docker, podman): install and start one, or take an image that was built "
        "elsewhere: make flash BOARD= IMAGE=FILE.\n"
    )


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ({"code": 2}, "The build ended with code 2 and made no image; its own words are above.\n"),
        ({"image": b"half"}, "What the build has made is no image of MicroPython"),
        ({"image": make_whole_image(names=b"")}, "The build has made an image without the firmware"),
    ],
)
def test_a_build_that_fails_is_one_sentence_and_leaves_no_description(build, engine, tmp_path, outcome, sentence):
    engine(image=make_whole_image())
    build("ESP32_GENERIC")
    (tmp_path / "image").unlink()
    engine(**outcome)
    done = build("ESP32_GENERIC")
    assert done.exit_code == 1
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out" / "ESP32_GENERIC.json").exists()


def test_a_board_that_no_image_can_be_for_is_one_sentence(build, tmp_path):
    done = build("VIRTUAL")
    assert (done.exit_code, done.stderr) == (
        1, "VIRTUAL/board.json does not say where an image goes (deploy_options.flash_offset): an image is for a real "
        "board.\n",
    )  # fmt: skip
    elsewhere = tmp_path / "mine" / "ESP32_GENERIC"
    shutil.copytree(BOARDS / "ESP32_GENERIC", elsewhere)
    assert "must lie in `boards`, beside the folder `firmware`" in build(elsewhere, "--dry-run").stderr
    (elsewhere / "mpconfigboard.h").unlink()
    assert "ESP32_GENERIC lacks mpconfigboard.h: copy it" in build(elsewhere, "--dry-run").stderr


def test_make_image_is_the_same_command():
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    assert '$(PHONETERM) firmware image "$(BOARD)" $(ARGS)' in makefile
    assert '$(if $(IMAGE),--image "$(IMAGE)")' in makefile
