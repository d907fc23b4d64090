"""The wheel holds everything that its commands need, and what it needs itself is split into the bridge and the rest."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions

import pytest
from lab_parts.free_port import free_port
from phoneterm_cli import workbench
from phoneterm_service.problem import ServiceProblem
from phoneterm_service.source import Source, build_wheel, find_source
from service.wheels import CHECKOUT, LOCK, VOIPNOW_LOCK

_PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
_NOT_IN_WHEEL = {".md", ".png", ".pyi"}  # pages are in the repository; typings are for those who change code


def names_of(requirements):
    return {re.match(r"[\w-]+", one)[0].replace("_", "-").lower() for one in requirements}


def files_below(*folders):
    """Return the files below these folders, without what Python and its installation make there."""
    found = [path for folder in folders for path in (CHECKOUT / folder).rglob("*") if path.is_file()]
    return [path for path in found if "__pycache__" not in path.parts and "phoneterm.egg-info" not in path.parts]


def test_the_wheel_has_all_boards_and_the_firmware_as_they_are_in_the_checkout(wheel):
    with zipfile.ZipFile(wheel) as content:
        data = {name.partition("/data/share/phoneterm/")[2]: name for name in content.namelist()}
        for path in files_below("boards", "firmware"):
            name = path.relative_to(CHECKOUT).as_posix()
            assert name in data, f"pyproject.toml, data-files: {name} is missing"
            assert content.read(data[name]) == path.read_bytes()


def test_the_wheel_has_every_file_of_the_tools(wheel):
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
    for path in files_below("tools"):
        if path.suffix not in _NOT_IN_WHEEL:
            name = path.relative_to(CHECKOUT / "tools").as_posix().removeprefix("labs/")
            assert name in names, f"pyproject.toml, package-data: {name} is missing"
    assert {"phoneterm_bridge/systemd/phoneterm-bridge.service", "phoneterm_bridge/web/grafana/phoneterm.json"} <= {
        *names
    }


def test_the_wheel_takes_the_source_from_what_lies_around_the_program(wheel, tmp_path):
    assert find_source(CHECKOUT / "tools") == Source(CHECKOUT, _PROJECT["version"])
    assert find_source(wheel) == Source(wheel, _PROJECT["version"])
    with pytest.raises(ServiceProblem, match="Nothing to install lies around this program: start it from a wheel "):
        find_source(tmp_path)
    with pytest.raises(ServiceProblem, match="is a wheel already"):
        build_wheel(wheel, tmp_path, sys.executable)


def test_what_the_tools_import_is_needed_by_the_bridge_or_belongs_to_the_workbench():
    """A module of the workbench that is not listed as such would be a traceback where only the bridge is installed."""
    distributions = packages_distributions()
    bridge = set(re.findall(r"^([\w-]+)==", LOCK.read_text(), re.MULTILINE))
    voipnow = set(re.findall(r"^([\w-]+)==", VOIPNOW_LOCK.read_text(), re.MULTILINE))
    extra = names_of(_PROJECT["optional-dependencies"]["workbench"])
    for path in files_below("tools"):
        for node in ast.walk(ast.parse(path.read_text())) if path.suffix == ".py" else ():
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) else []
            for module in {name.partition(".")[0] for name in modules} - {"phoneterm"}:
                packages = names_of(distributions.get(module, ())) - {"phoneterm"}
                if packages & extra:
                    assert module in workbench.MODULES, f"{path}: {module} belongs into workbench.MODULES"
                elif packages and "labs" not in path.parts:
                    has = voipnow if path.parent.name == "voipnow" else bridge
                    assert packages & has, f"{path} imports {module}, which bridge.lock does not have"
    assert not bridge & extra


@pytest.mark.parametrize(("lock", "extras"), [(LOCK, ()), (VOIPNOW_LOCK, ("voipnow",))], ids=["bridge", "voipnow"])
def test_a_lock_has_what_pyproject_names_in_the_versions_that_are_tested(lock, extras):
    locked = dict(re.findall(r"^([\w-]+)==([\w.]+)", lock.read_text(), re.MULTILINE))
    tested = dict(re.findall(r"^([\w-]+)==([\w.]+)", (CHECKOUT / "requirements.lock").read_text(), re.MULTILINE))
    optional = _PROJECT["optional-dependencies"]
    needed = names_of(_PROJECT["dependencies"]).union(*(names_of(optional[extra]) for extra in extras))
    assert needed <= set(locked), "run make lock"
    assert not (names_of(optional["workbench"]) - needed - {"platformdirs"}) & set(locked)
    assert ("zeep" in locked) is ("voipnow" in extras)
    assert {name: version for name, version in locked.items() if tested.get(name, version) != version} == {}


@pytest.mark.timeout(300)
def test_a_wheel_with_the_workbench_builds_draws_and_runs_without_the_checkout(wheel, tmp_path):
    """In an environment with this project from its wheel, and the other packages from that of the tests."""
    phoneterm = make_environment(wheel, tmp_path / "environment")
    folder = tmp_path / "work"
    folder.mkdir()

    def run(*words, keys=""):
        done = subprocess.run(
            [phoneterm, *words], cwd=folder, capture_output=True, text=True, input=keys, check=False, timeout=100
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "ESP32_GENERIC_S3: nothing is wrong with it." in run("board", "check")
    assert "listed in its manifest.json" in run("firmware", "build", "ESP32_GENERIC_S3")
    assert (folder / "build/firmware/ESP32_GENERIC_S3/phoneterm/core/scanner.mpy").is_file()
    run("board", "wiring", "ESP32_GENERIC", "--to", "drawn")
    assert (folder / "drawn" / "wiring.svg").read_bytes() == (CHECKOUT / "boards/ESP32_GENERIC/wiring.svg").read_bytes()
    names = ("--broker-port", "--control-port", "--page-port")
    ports = [word for name in names for word in (name, str(free_port()))]
    assert "You are at 101." in run("run", *ports, keys="quit\n")


def make_environment(wheel, folder):
    """Return the `phoneterm` of a new environment, with this project from the wheel alone."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(command, check=True)
    packages = next(folder.glob("lib/python3*/site-packages"))
    others = next(path for path in sys.path if path.endswith("site-packages"))
    (packages / "packages_of_the_tests.pth").write_text(others + "\n")  # without the link to the checkout in there
    return folder / "bin" / "phoneterm"
