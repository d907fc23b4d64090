"""A board that cannot work is refused, with one sentence for each reason; every board of the project passes."""

import contextlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from board_check.board_file import BOARDS, find_boards, read_board
from board_check.board_source import BoardUnusable, read_source
from board_check.check import check_board
from board_check.chips import CHIPS
from board_check.parts import find_display
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def copy_board(tmp_path):
    """Return a function that copies a board, changes a piece of one of its files, and returns the copy's folder."""

    def copy(name, old="", new="", file="board.py"):
        folder = tmp_path / name
        shutil.copytree(BOARDS / name, folder)
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))
        return folder

    return copy


def test_all_boards_of_the_project_can_work():
    assert {folder.name for folder in find_boards()} >= {
        "ESP32_GENERIC", "ESP32_GENERIC_S3", "ESP32_GENERIC_C3", "VIRTUAL",
    }  # fmt: skip
    assert {folder.name: check_board(folder) for folder in find_boards()} == {
        folder.name: [] for folder in find_boards()
    }


@pytest.mark.parametrize(
    ("board", "old", "new", "reason"),
    [
        ("ESP32_GENERIC", "(13, 14", "(6, 14", "Row 1 is on GPIO6, which belongs to the flash memory: "),
        ("ESP32_GENERIC", "(25, 33", "(11, 33", "Column 1 is on GPIO11, which belongs to the flash memory: "),
        ("ESP32_GENERIC_S3", "(4, 5", "(32, 5", "Row 1 is on GPIO32, which belongs to the flash memory: "),
        ("ESP32_GENERIC_S3", "LAMP = 10", "LAMP = 35", "The lamp is on GPIO35, which belongs to the external RAM "),
        ("ESP32_GENERIC_C3", "BUZZER = 10", "BUZZER = 11", "The buzzer is on GPIO11, which belongs to the flash"),
        ("ESP32_GENERIC", "(13, 14", "(13, 34", "Row 2 is on GPIO34, which is an input only."),
        ("ESP32_GENERIC", "32, 23)", "32, 39)", "Column 4 is on GPIO39, which has no pull-up: the column floats and"),
        ("ESP32_GENERIC", "HOOK = 4", "HOOK = 35", "The hook switch is on GPIO35, which has no pull-up: "),
        ("ESP32_GENERIC", "LAMP = 19", "LAMP = 36", "The lamp is on GPIO36, which is an input only."),
        ("ESP32_GENERIC", "(13, 14", "(12, 14", "Row 1 is on GPIO12, a strapping pin, which decides how the chip sta"),
        ("ESP32_GENERIC", "27, 26)", "27, 15)", "Row 4 is on GPIO15, a strapping pin, which decides how the chip sta"),
        ("ESP32_GENERIC_S3", "(4, 5", "(3, 5", "Row 1 is on GPIO3, a strapping pin, which decides how the chip starts"),
        ("ESP32_GENERIC_C3", "(4, 5", "(9, 5", "Row 1 is on GPIO9, a strapping pin, which decides how the chip starts"),
        ("ESP32_GENERIC", "(25, 33", "(12, 33", "Column 1 is on GPIO12, a strapping pin that must be low at reset, a"),
        ("ESP32_GENERIC", "HOOK = 4", "HOOK = 0", "The hook switch is on GPIO0, a strapping pin that must be high at"),
        ("ESP32_GENERIC_C3", "LAMP_ACTIVE = 0", "LAMP_ACTIVE = 1", "The lamp is on GPIO8, a strapping pin that must"),
        ("ESP32_GENERIC_C3", "BUZZER = 10", "BUZZER = 9", "The buzzer is on GPIO9, a strapping pin that must be high"),
        ("ESP32_GENERIC_S3", "SDA = 8", "SDA = 46", "The display's SDA is on GPIO46, a strapping pin that must be lo"),
        ("ESP32_GENERIC", "BUZZER = 18", "BUZZER = 14", "The buzzer is on GPIO14, which the chip pulls high until "),
        ("ESP32_GENERIC_S3", "LAMP = 10", "LAMP = 39", "The lamp is on GPIO39, which the chip pulls high until the"),
        ("ESP32_GENERIC_C3", "BUZZER = 10", "BUZZER = 6", "The buzzer is on GPIO6, which the chip pulls high until th"),
        ("ESP32_GENERIC", "19\nLAMP_ACTIVE = 1", "13\nLAMP_ACTIVE = 0", "The lamp is on GPIO13, which the chip pulls"),
        ("ESP32_GENERIC", "(13, 14", "(1, 14", "Row 1 is on GPIO1, which is the console: "),
        ("ESP32_GENERIC_S3", "BUZZER = 11", "BUZZER = 44", "The buzzer is on GPIO44, which is the console: "),
        ("ESP32_GENERIC_C3", "(0, 1", "(20, 1", "Column 1 is on GPIO20, which is the console: "),
        ("ESP32_GENERIC_S3", "LAMP = 10", "LAMP = 19", "The lamp is on GPIO19, which is the USB port: "),
        ("ESP32_GENERIC_C3", "BUZZER = 10", "BUZZER = 18", "The buzzer is on GPIO18, which is the USB port: "),
        ("ESP32_GENERIC", "(13, 14", "(24, 14", "Row 1 is on GPIO24, which the ESP32 does not have."),
        ("ESP32_GENERIC", "LAMP = 19", "LAMP = 40", "The lamp is on GPIO40, which the ESP32 does not have."),
        ("ESP32_GENERIC_S3", "HOOK = 12", "HOOK = 22", "The hook switch is on GPIO22, which the ESP32-S3 does not ha"),
        ("ESP32_GENERIC_C3", "BUZZER = 10", "BUZZER = -1", "The buzzer is on GPIO-1, which the ESP32-C3 does not hav"),
        ("ESP32_GENERIC", "(25, 33", "(13, 33", "GPIO13 is taken twice: by row 1 and by column 1."),
        ("ESP32_GENERIC", "SCL = 22", "SCL = 19", "GPIO19 is taken twice: by the lamp and by the display's SCL."),
        ("ESP32_GENERIC", "DISPLAY_SCL = 22", "DISPLAY_SCL = None", "The oled display needs two pins: "),
        ("ESP32_GENERIC", ", 27, 26)", ", 27)", "ROWS has 3 pins, and the keypad has 4 rows."),
        ("ESP32_GENERIC", "32, 23)", "32, 23, 5)", "COLUMNS has 5 pins, and the keypad has 4 columns."),
        ("ESP32_GENERIC", "123A456B789C*0#D", "123A456B789C*0#", "LEGENDS has 15 characters, and the keypad has 16 k"),
        ("ESP32_GENERIC", "123A456B789C*0#D", "123A456B789C*0#A", "LEGENDS has A more than once: "),
        ("ESP32_GENERIC", "123A456B789C*0#D", "123A456B789C*0ED", "LEGENDS lacks #: numbers and the codes #1 and *2"),
        ("ESP32_GENERIC", "123A456B789C*0#D", "123a456B789C*0#D", "LEGENDS cannot be used: a keymap is 16 different"),
        ("ESP32_GENERIC", '"D")', '"E")', "The swap key is 'E' in ROLES, which is not printed on any key."),
        ("ESP32_GENERIC", '"C", "D")', '"C")', "ROLES has 3 legends, and there are 4 roles: commit, erase, cancel, s"),
        ("ESP32_GENERIC", '"C", "D")', '"C", "C")', "ROLES cannot be used: two roles cannot have the same key."),
        ("ESP32_GENERIC", '"B", "C"', '"5", "C"', "ROLES cannot be used: key 5 cannot be the erase key"),
        ("ESP32_GENERIC", 'NAME = "ESP32_GENERIC"', 'NAME = "ESP32"', "NAME is ESP32, and the folder is ESP32_GENERI"),
    ],
)  # fmt: skip
def test_a_wiring_that_cannot_work_is_refused_with_its_reason(copy_board, board, old, new, reason):
    problems = check_board(copy_board(board, old, new))
    assert any(problem.startswith(reason) for problem in problems), problems
    assert all(re.fullmatch(r"[A-Z].*[.]", problem) for problem in problems)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("ROWS = (13", "ROWS = (13,,", "ESP32_GENERIC/board.py line 11 is not Python: "),
        ("LAMP = 19", "import machine\nLAMP = 19", "ESP32_GENERIC/board.py line 17 does something at import: it may"),
        ("LAMP = 19", "print(1)\nLAMP = 19", "ESP32_GENERIC/board.py line 17 does something at import: "),
        ("LAMP = 19", "LAMP = int('19')", "ESP32_GENERIC/board.py line 17 computes a value: write the number"),
        ("HOOK = 4 ", "HUKE = 4 ", "ESP32_GENERIC/board.py does not set HOOK: see another board's board.py"),
        ("LAMP = 19", "LAMP = '19'", "ESP32_GENERIC/board.py must set LAMP to a pin's number or to None, not '19'."),
        ("LAMP = 19", "LAMP = True", "ESP32_GENERIC/board.py must set LAMP to a pin's number or to None, not True."),
        ("LAMP_ACTIVE = 1", "LAMP_ACTIVE = 2", "ESP32_GENERIC/board.py must set LAMP_ACTIVE to a number from 0 to 1,"),
        ("ROWS = (13, 14, 27, 26)", "ROWS = 13", "ESP32_GENERIC/board.py must set ROWS to pins' numbers in brackets,"),
        ('("A", "B", "C", "D")', "None", "ESP32_GENERIC/board.py must set ROLES to legends in quotes, in brackets, n"),
        ('"123A456B789C*0#D"', "16", "ESP32_GENERIC/board.py must set LEGENDS to a text in quotes, not 16"),
        ("SETTLE_US = 5", "SETTLE_US = 5000", "ESP32_GENERIC/board.py must set SETTLE_US to a number from 0 to 1000,"),
        ("def make_display", "def make_screen", "ESP32_GENERIC/board.py defines no make_display(): "),
        ("make_display()", "make_display(bus)", "ESP32_GENERIC/board.py must define make_display as a function that t"),
        ("make_display()", "make_display(bus=I2C(0))", "ESP32_GENERIC/board.py line 26 computes a value: write the n"),
        ("def make", "on_signal = 1\n\n\ndef make", "ESP32_GENERIC/board.py must define on_signal as a function that"),
        ("def make", "def on_signal():\n    pass\n\n\ndef make", "ESP32_GENERIC/board.py must define on_signal as a f"),
        ("from oled import", "from olde import", "ESP32_GENERIC/board.py imports olde, which is no module of Micr"),
        ("oled import Oled", "oled import Olde", "ESP32_GENERIC/board.py imports Olde, which the driver oled does n"),
        ("    from oled", "    from lcd import Lcd\n    from oled", "ESP32_GENERIC/board.py imports lcd and oled: "),
    ],
)  # fmt: skip
def test_a_board_file_that_cannot_be_read_is_refused_with_its_line(copy_board, old, new, sentence):
    (problem,) = check_board(copy_board("ESP32_GENERIC", old, new))
    assert problem.startswith(sentence)


def test_a_board_file_is_read_and_never_run(copy_board, tmp_path):
    trap = tmp_path / "it-ran"
    folder = copy_board("ESP32_GENERIC", "LAMP = 19", f"LAMP = open({str(trap)!r}, 'w')")
    check_board(folder)
    assert not trap.exists()


def test_a_file_that_is_no_text_is_refused(copy_board):
    folder = copy_board("VIRTUAL")
    (folder / "board.py").write_bytes(b"\xff\xfe\x00")
    (problem,) = check_board(folder)
    assert problem.startswith("VIRTUAL/board.py cannot be read: ")


@pytest.mark.parametrize("name", ["board.json", "board.py", "manifest.py"])
def test_a_folder_that_lacks_a_file_is_refused(copy_board, name):
    folder = copy_board("VIRTUAL")
    (folder / name).unlink()
    assert check_board(folder) == [f"There is no VIRTUAL/{name}: copy one from another board's folder."]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "VIRTUAL/board.json is not JSON: "),
        ("[]", "VIRTUAL/board.json must be one object in braces"),
        ('{"mcu": "esp8266", "product": "x"}', 'VIRTUAL/board.json must name the chip: "mcu" is one of esp32, '),
        ('{"mcu": ["esp32"], "product": "x"}', 'VIRTUAL/board.json must name the chip: "mcu" is one of esp32, '),
        ('{"mcu": "esp32"}', "VIRTUAL/board.json must say what people call the board: "),
        ('{"mcu": "esp32", "product": "x", "features": 1}', "VIRTUAL/board.json must list what the board has: "),
    ],
)
def test_a_board_json_of_another_shape_is_refused(copy_board, content, sentence):
    folder = copy_board("VIRTUAL")
    (folder / "board.json").write_text(content)
    (problem,) = check_board(folder)
    assert problem.startswith(sentence)


@given(st.text() | st.binary())
def test_no_text_in_the_place_of_a_board_file_is_more_than_a_sentence(content):
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "board.py"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(errors="surrogatepass"))
        with contextlib.suppress(BoardUnusable):
            read_source(path)


@pytest.mark.parametrize("text", ["(" * 3000 + ")" * 3000, "ROWS = " + "-" * 100000 + "1", "A = 9 ** 9 ** 9 ** 9\n"])
def test_a_board_file_that_would_overwhelm_the_reader_is_refused(copy_board, text):
    folder = copy_board("VIRTUAL")
    (folder / "board.py").write_text(text)
    (problem,) = check_board(folder)
    assert problem.startswith("VIRTUAL/board.py ")


def test_a_board_without_lamp_buzzer_hook_and_display_is_good(copy_board):
    folder = copy_board("ESP32_GENERIC_C3", "LAMP = 8", "LAMP = None")
    text = (folder / "board.py").read_text()
    (folder / "board.py").write_text(text.replace("BUZZER = 10", "BUZZER = None"))
    assert check_board(folder) == [
        f"{name} does not show this wiring: 'phoneterm board wiring ESP32_GENERIC_C3' draws it anew."
        for name in ("wiring.svg", "wiring.md")
    ]


def test_pins_of_a_module_with_ram_are_free_on_one_without(copy_board):
    without = copy_board("ESP32_GENERIC", "LAMP = 19", "LAMP = 16")
    assert not [problem for problem in check_board(without) if "GPIO16" in problem]
    text = (without / "board.json").read_text()
    (without / "board.json").write_text(text.replace('"WiFi"', '"WiFi", "External RAM"'))
    assert [problem for problem in check_board(without) if "GPIO16, which belongs to the external RAM" in problem]


def test_what_is_known_of_the_chips_hangs_together():
    for chip in CHIPS.values():
        for pins in (chip.flash, chip.memory, chip.input_only, chip.strapping.keys(), chip.console, chip.usb):
            assert pins <= chip.pins
        assert len(chip.free_pins(has_external_ram=True)) >= 8
    assert CHIPS["esp32c3"].free_pins(has_external_ram=False) == [0, 1, 3, 4, 5, 6, 7, 10]


def test_every_board_json_has_the_shape_of_micropythons():
    known = {"deploy_options", "docs", "features", "mcu", "product", "url", "vendor"}
    for folder in find_boards():
        assert json.loads((folder / "board.json").read_text()).keys() <= known


def test_every_display_driver_has_been_described():
    for driver in (BOARDS / "displays").glob("*.py"):
        assert find_display(driver.stem).title != driver.stem


def test_a_board_knows_its_wires_and_legends():
    board = read_board(BOARDS / "ESP32_GENERIC_S3")
    assert [wire.pin for wire in board.connections()] == [4, 5, 6, 7, 15, 16, 17, 18, 10, 11, 12, 9, 8]
    assert (board.row_legends(1), board.column_legends(3)) == ("456B", "ABCD")
