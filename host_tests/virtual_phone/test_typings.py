"""The fakes have everything in the typings: every class, function and constant, with the same parameter names."""

import ast
import subprocess
from pathlib import Path

import pytest
from virtual_phone import vm

TYPINGS = Path(__file__).parents[2] / "tools" / "typings"


def _promises(nodes, prefix=""):
    """Return {dotted name: parameter names, or None for constants}; for overloads the longest."""
    found = {}
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            names = tuple(argument.arg for argument in (*node.args.args, *node.args.kwonlyargs))
            found[prefix + node.name] = max(names, found.get(prefix + node.name, ()), key=len)
        elif isinstance(node, ast.ClassDef):
            found |= _promises(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.AnnAssign):
            found[prefix + node.target.id] = None
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[prefix + node.targets[0].id] = None
    return found


def _read(path):
    return _promises(ast.parse(path.read_text()).body)


@pytest.mark.parametrize("name", ["machine", "network", "esp32"])
def test_the_fake_has_what_the_typings_promise(name):
    promised = _read(TYPINGS / f"{name}.pyi")
    offered = _read(vm.FAKE_MODULES / f"{name}.py")
    if name == "machine":
        offered |= _read(vm.FAKE_MODULES / "machine_rest.py")
    assert {key: offered.get(key, "is missing") for key in promised} == promised


def test_micropython_itself_has_what_the_typings_promise(tmp_path):
    script = tmp_path / "names.py"
    script.write_text("import micropython\nprint(*dir(micropython))\n")
    argv, environment = vm.command(script)
    run = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=True)
    promised = {name for name in _read(TYPINGS / "micropython.pyi") if not name.startswith("_")}
    assert promised <= set(run.stdout.split())


def test_the_typings_name_every_call_of_the_rarely_used_part(tmp_path):
    script = tmp_path / "rest.py"
    script.write_text(
        "import machine\nfrom machine import freq\nprint(freq(), len(machine.unique_id()))\nmachine.none\n"
    )
    argv, environment = vm.command(script, path=[vm.FAKE_MODULES])
    run = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout.splitlines()[0] == "160000000 6"
    assert "AttributeError" in run.stdout + run.stderr
