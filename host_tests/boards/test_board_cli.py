"""`phoneterm board` as a person uses it: what it prints, where, and with which exit code."""

import shutil

import pytest
from board_check.board_file import BOARDS
from board_check.cli import app
from typer.testing import CliRunner


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def bad_folder(tmp_path):
    """Return the folder of a copied board with two wires on bad pins."""
    shutil.copytree(BOARDS / "VIRTUAL", tmp_path / "VIRTUAL")
    path = tmp_path / "VIRTUAL" / "board.py"
    path.write_text(path.read_text().replace("(13, 14", "(6, 34"))
    return path.parent


def test_list_names_every_board_its_chip_and_its_parts(run):
    lines = run("list").stdout.splitlines()
    assert "ESP32_GENERIC      ESP32     keypad, lamp, buzzer, hook, display" in lines
    assert "ESP32_GENERIC_C3   ESP32-C3  keypad, lamp, buzzer" in lines


def test_check_without_a_name_checks_every_board(run):
    done = run("check")
    assert done.exit_code == 0
    assert "ESP32_GENERIC_S3: nothing is wrong with it." in done.stdout


def test_check_says_every_reason_and_fails(run, bad_folder):
    done = run("check", bad_folder)
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "VIRTUAL: Row 1 is on GPIO6, which belongs to the flash memory: the chip would stop at once.",
        "VIRTUAL: Row 2 is on GPIO34, which is an input only.",
    ]


def test_a_board_that_does_not_exist_is_one_sentence(run):
    for command in ("check", "wiring"):
        done = run(command, "ESP99")
        assert done.exit_code == 1
        assert done.stderr.startswith("There is no board ESP99: take one of ESP32_GENERIC, ")
        assert done.stderr.count("\n") == 1


def test_a_name_that_is_too_long_for_a_file_is_one_sentence(run):
    done = run("check", "x" * 300)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"There is no board {'x' * 80}: take one of ")


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_is_one_sentence_wherever_one_stands(run, monkeypatch, name):
    monkeypatch.chdir(BOARDS / "ESP32_GENERIC")
    done = run("check", name)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("There is no board without a name: take one of ")


def test_wiring_prints_the_table_and_writes_the_files(run, tmp_path):
    done = run("wiring", "ESP32_GENERIC", "--to", tmp_path / "drawn", "--png")
    assert done.exit_code == 0
    assert "keypad row 4 (* 0 # D)     GPIO26  open-drain output" in done.stdout
    assert {path.name for path in (tmp_path / "drawn").iterdir()} == {"wiring.svg", "wiring.md", "wiring.png"}


def test_wiring_of_a_board_that_cannot_work_is_not_drawn(run, bad_folder):
    before = (bad_folder / "wiring.svg").read_bytes()
    done = run("wiring", bad_folder)
    assert done.exit_code == 1
    assert "Row 1 is on GPIO6" in done.stderr
    assert (bad_folder / "wiring.svg").read_bytes() == before


def test_a_place_that_cannot_be_written_is_one_sentence(run, tmp_path):
    (tmp_path / "taken").write_text("")
    done = run("wiring", "VIRTUAL", "--to", tmp_path / "taken")
    assert done.exit_code == 1
    assert done.stderr == f"{tmp_path / 'taken'} cannot be written: File exists.\n"
