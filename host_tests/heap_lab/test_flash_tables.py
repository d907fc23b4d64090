"""The bytes counted as flash are those that the VM really keeps of a module that runs from ROMFS."""

from pathlib import Path

import pytest
from firmware_build.romfs import make_romfs
from firmware_build.sizes import compile_module
from heap_lab.flash_tables import flash_bytes, pool_bytes, read_tables
from lab_parts import parts
from virtual_phone import vm
from vm_program import run_program

_PROGRAM = Path(__file__).parent / "vm_modules" / "kept_by_module.py"


def _compile(folder, name, source):
    path = folder / f"{name}.py"
    path.write_text(source)
    compile_module(path, path.relative_to(folder), folder / "rom")
    return folder / "rom" / f"{name}.mpy"


def _with_texts(count):
    """Return a module that keeps only its tables alive: its texts are in a function."""
    says = "".join(f", 'a text that is not a name {number}'" for number in range(count))
    return f"def say():\n    return [1{says}]\n"


@pytest.mark.parametrize("count", [0, 1, 7, 60])
def test_the_tables_of_a_module_are_what_the_vm_keeps_of_it(tmp_path, need_part, count):
    need_part(parts.MICROPYTHON_32)
    paths = {name: _compile(tmp_path, name, _with_texts(number)) for name, number in (("bare", 0), ("rich", count))}
    rom = make_romfs(tmp_path / "rom")
    kept = {}
    for name in paths:
        (line,) = run_program(_PROGRAM, rom, name, path=(vm.FAKE_MODULES,), heap_kib=200, bits=32)
        kept[name] = int(line)
    counted = read_tables(paths["rich"]).heap_bytes - read_tables(paths["bare"]).heap_bytes
    assert counted == kept["rich"] - kept["bare"]


def test_pools_double():
    assert [pool_bytes(count) for count in (0, 20, 21, 300, 301)] == [0, 140, 420, 2100, 4340]


def test_names_of_the_modules_are_flash_and_others_are_not(tmp_path):
    path = _compile(tmp_path, "one", "".join(f"name_{number} = 1\n" for number in range(30)))
    names = [f"name_{number}" for number in range(30)]
    tables = read_tables(path).heap_bytes
    assert flash_bytes([path], names) == tables + pool_bytes(30)
    assert flash_bytes([path], [*names, "another"]) == tables + pool_bytes(31) - pool_bytes(1)


def test_what_is_no_compiled_module_is_refused(tmp_path):
    path = tmp_path / "not.mpy"
    path.write_bytes(b"C\x06\x00\x00")
    with pytest.raises(ValueError, match="is not a compiled module of version 6"):
        read_tables(path)
