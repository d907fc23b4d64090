"""The day of the build is in the firmware, and a chip believes no clock from before it."""

import shutil
import time
from pathlib import Path

import pytest
from firmware_build.build_day import MODULE, find_build_day, write_build_day
from firmware_build.sizes import CompileFailed, slim_package

_FIRMWARE = Path(__file__).parents[2] / "firmware"


def built_text(folder, monkeypatch, epoch_s):
    """Return the built clock's text with this day of the build."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch_s)
    return slim_package(folder).texts[MODULE]


def test_the_build_puts_its_day_into_the_clock(monkeypatch):
    assert "11033 <=" in built_text(_FIRMWARE, monkeypatch, "1900000000")
    assert "11034 <=" in built_text(_FIRMWARE, monkeypatch, str(1900000000 + 86400))


def test_without_another_day_it_is_today(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert find_build_day() == (int(time.time()) - 946684800) // 86400


def test_a_computer_whose_clock_is_behind_does_not_set_the_day_back():
    assert write_build_day("BUILT_DAY = 9497  # why\n", 12) == "BUILT_DAY = 9497  # why\n"


def test_a_day_that_is_no_number_is_one_sentence(monkeypatch, tmp_path):
    shutil.copytree(_FIRMWARE, tmp_path / "firmware")
    with pytest.raises(CompileFailed, match="must be seconds since 1970, and is 'soon'"):
        built_text(tmp_path / "firmware", monkeypatch, "soon")
