"""The flash of an emulated chip: where everything is, and settings as Espressif's own tool would write them."""

import hashlib

import pytest
from chip_lab.flash_file import FLASH_BYTES, make_flash, read_micropython
from chip_lab.nvs_partition import PAGE_BYTES, make_page
from lab_parts.parts import PartMissing
from littlefs import LittleFS

_KEY = bytes.fromhex("00112233445566778899aabbccddeeff") * 2 + bytes.fromhex("0011")
# From the first page that esp-idf-nvs-partition-gen 0.3.0 makes from the same values.
_ESPRESSIFS = "52e5dd8949095e8bd148df6d13e853dbc4227ac937d7f2642ca2e9d8c2e53ccd"


def test_settings_are_written_as_espressifs_own_tool_writes_them():
    page = make_page("phoneterm", {"tid": b"t101", "mac_key": _KEY, "empty1": b"a"})
    assert hashlib.sha256(page).hexdigest() == _ESPRESSIFS


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit into one page"):
        make_page("phoneterm", {f"key{index}": b"x" * 100 for index in range(30)})
    with pytest.raises(ValueError, match="must have 1 to 15 characters"):
        make_page("phoneterm", {"a_name_that_is_long": b""})


def test_everything_lies_where_the_chip_looks_for_it(tmp_path):
    path = tmp_path / "flash.bin"
    make_flash(path, b"MICROPYTHON", {"main.py": b"print(1)", "phoneterm/core/mac.mpy": b"M\x06"}, {"tid": "t101"})
    flash = path.read_bytes()
    assert len(flash) == FLASH_BYTES
    assert flash[:0x1000] == b"\xff" * 0x1000
    assert flash[0x1000:].startswith(b"MICROPYTHON\xff")
    assert flash[0x9000 : 0x9000 + PAGE_BYTES] == make_page("phoneterm", {"tid": b"t101"})
    system = LittleFS(block_size=4096, block_count=512, read_size=32, prog_size=32, mount=False)
    system.context.buffer = bytearray(flash[0x200000:])
    system.mount()
    with system.open("phoneterm/core/mac.mpy", "rb") as file:
        assert file.read() == b"M\x06"


def test_a_new_board_has_neither_settings_nor_files(tmp_path):
    make_flash(tmp_path / "flash.bin", b"MICROPYTHON", {}, {})
    assert set((tmp_path / "flash.bin").read_bytes()[0x9000:]) == {0xFF}


def test_a_packed_micropython_that_is_damaged_is_one_sentence(tmp_path):
    (tmp_path / "ESP32_GENERIC-1.27.0.bin.xz").write_bytes(b"half")
    with pytest.raises(PartMissing, match=r"ESP32_GENERIC-1\.27\.0\.bin\.xz cannot be unpacked .*: get it anew"):
        read_micropython(tmp_path)
