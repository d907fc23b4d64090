"""`phoneterm firmware build` as a person uses it."""

import shutil
from pathlib import Path

import pytest
from board_check.board_file import BOARDS
from firmware_build.cli import app
from typer.testing import CliRunner

_FIRMWARE = Path(__file__).parents[2] / "firmware"


@pytest.fixture
def build(tmp_path):
    return lambda *arguments: CliRunner().invoke(
        app, ["build", "--firmware", str(_FIRMWARE), "--to", str(tmp_path / "out"), *map(str, arguments)]
    )


def test_it_prints_the_size_of_every_file_and_their_sum(build, tmp_path):
    done = build("ESP32_GENERIC", "--romfs")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    sizes = {line.split()[1]: int(line.split()[0]) for line in lines[:-2]}
    assert sizes["oled.mpy"] == (tmp_path / "out" / "ESP32_GENERIC" / "oled.mpy").stat().st_size
    total = f"{sum(sizes.values()):7d}  all together, in {tmp_path / 'out' / 'ESP32_GENERIC'}, listed in"
    assert lines[-2].startswith(total)
    assert "ESP32_GENERIC.romfs, for a MicroPython with a ROMFS partition" in lines[-1]


def test_what_cannot_be_built_is_said_and_fails(build, tmp_path):
    shutil.copytree(BOARDS / "VIRTUAL", tmp_path / "VIRTUAL")
    path = tmp_path / "VIRTUAL" / "board.py"
    path.write_text(path.read_text().replace("LAMP = 2", "LAMP = 34"))
    for argument, sentence in (
        ("NOWHERE", "There is no board NOWHERE: take one of "),
        (tmp_path / "VIRTUAL", "VIRTUAL: The lamp is on GPIO34, which is an input only.\n"),
    ):
        done = build(argument)
        assert done.exit_code == 1
        assert done.stderr.startswith(sentence)
        assert done.stderr.count("\n") == 1
    done = build("VIRTUAL", "--firmware", tmp_path)
    assert (done.exit_code, done.stderr) == (
        1, f"There is no main.py in {tmp_path}: name the firmware folder with --firmware.\n",
    )  # fmt: skip


def test_a_place_that_cannot_be_written_is_one_sentence(build, tmp_path):
    (tmp_path / "out").write_text("")
    done = build("VIRTUAL")
    assert (done.exit_code, done.stderr) == (1, f"{tmp_path / 'out'} cannot be written: File exists.\n")
