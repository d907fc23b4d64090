"""A phone's files match its present sources, however often phones were made from them before."""

import shutil

from firmware_build.image import make_image
from virtual_phone.build import BOARD, FIRMWARE
from virtual_phone.phone_files import IMAGE, Sources


def contents_below(folder):
    """Return the contents of all files by their paths."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_phone_gets_the_same_files_as_the_image_of_the_firmware_has(tmp_path):
    make_image(FIRMWARE, tmp_path / "made")
    for name in ("first", "second"):
        Sources(FIRMWARE, BOARD).put_files(tmp_path / name)
        assert contents_below(tmp_path / name / IMAGE) == contents_below(tmp_path / "made")


def test_a_source_that_has_changed_is_in_the_next_phone(tmp_path):
    firmware = tmp_path / "firmware"
    shutil.copytree(FIRMWARE, firmware, ignore=shutil.ignore_patterns("__pycache__"))
    sources = Sources(firmware, BOARD)
    sources.put_files(tmp_path / "before")
    (firmware / "main.py").write_text("print('changed')\n")
    call = firmware / "phoneterm/core/call.py"
    call.write_text(call.read_text().replace('"talking"', '"chatting"'))
    sources.put_files(tmp_path / "after")
    before, after = contents_below(tmp_path / "before" / IMAGE), contents_below(tmp_path / "after" / IMAGE)
    assert after["main.py"] == b"print('changed')\n" != before["main.py"]
    assert after["phoneterm/core/call.mpy"] != before["phoneterm/core/call.mpy"]


def test_a_phone_that_wrote_to_its_files_changes_no_other_phone(tmp_path):
    sources = Sources(FIRMWARE, BOARD)
    sources.put_files(tmp_path / "one")
    (tmp_path / "one" / IMAGE / "main.py").write_text("print('mine')\n")
    sources.put_files(tmp_path / "two")
    assert (tmp_path / "two" / IMAGE / "main.py").read_text() == (FIRMWARE / "main.py").read_text()
