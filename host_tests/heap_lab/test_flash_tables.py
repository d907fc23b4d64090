"""What is counted as flash is what the VM really keeps of a module that runs from ROMFS."""

import os
import subprocess

import pytest
from firmware_build.romfs import make_romfs
from firmware_build.sizes import compile_module
from heap_lab.flash_tables import flash_bytes, pool_bytes, read_tables
from lab_parts import parts
from virtual_phone import vm

_MEASURE = """
import gc
import chip_rom
chip_rom.mount(%r)
for number in range(200):  # the pool that the module's names go to is there already
    setattr(type("holder", (), {}), "name%%d" %% number, None)
gc.collect()
before = gc.mem_alloc()
import %s as module
gc.collect()
print(gc.mem_alloc() - before)
"""


def _compile(folder, name, source):
    path = folder / f"{name}.py"
    path.write_text(source)
    compile_module(path, path.relative_to(folder), folder / "rom")
    return folder / "rom" / f"{name}.mpy"


def _with_texts(count):
    """Return a module that keeps nothing alive but its tables: what it has to say is in a function."""
    says = "".join(f", 'a text that is not a name {number}'" for number in range(count))
    return f"def say():\n    return [1{says}]\n"


@pytest.mark.parametrize("count", [0, 1, 7, 60])
def test_the_tables_of_a_module_are_what_the_vm_keeps_of_it(tmp_path, need_part, count):
    need_part(parts.MICROPYTHON_32)
    paths = {name: _compile(tmp_path, name, _with_texts(number)) for name, number in (("bare", 0), ("rich", count))}
    rom = make_romfs(tmp_path / "rom")
    kept = {}
    for name in paths:
        script = tmp_path / "script.py"
        script.write_text(_MEASURE % (str(rom), name))
        argv, environment = vm.command(script, 200, (vm.FAKE_MODULES,), bits=32)
        done = subprocess.run(argv, env=dict(os.environ, **environment), capture_output=True, text=True, check=True)
        kept[name] = int(done.stdout)
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
