"""Checks the rules of the house: which part may import which, and which may contain a topic or a pin number."""

import ast
import textwrap
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_FIRMWARE = _ROOT / "firmware"

# Each part: its folder or file, and what it may import of this project (a name covers what is below it).
_ARROWS = {
    "firmware/phoneterm/core": {"phoneterm.core"},
    "firmware/phoneterm/device": {"phoneterm.core", "phoneterm.device"},
    "firmware/phoneterm/app.py": {"phoneterm.core", "phoneterm.device"},
    "firmware/main.py": {"phoneterm", "board"},
    "firmware/safe.py": {"phoneterm", "board"},
    "firmware/boot.py": {"phoneterm.device", "board"},
    "boards": {"virtual_display", "host_link"},
    "tools/labs/lab_parts": {"lab_parts"},
    "tools/board_check": {
        "board_check",
        "phoneterm.core.config",
        "phoneterm.core.keymap",
        "phoneterm.core.messages",
    },
    "tools/phoneterm_bridge": {
        "phoneterm_bridge",
        "phoneterm.core.messages",
        "phoneterm.core.operations",
        "phoneterm.core.digit_map",
        "phoneterm.core.digit_map_compiler",
        "phoneterm.core.permissions",
    },
    "tools/phoneterm_bridge/pbx/ami": {"phoneterm_bridge.pbx.ami", "phoneterm_bridge.pbx.port"},
    "tools/phoneterm_bridge/pbx/asterisk": {
        "phoneterm_bridge.pbx.asterisk",
        "phoneterm_bridge.pbx.ami",
        "phoneterm_bridge.pbx.calls",
        "phoneterm_bridge.pbx.port",
        "phoneterm.core.messages",
    },
    "tools/phoneterm_bridge/pbx/voipnow": {
        "phoneterm_bridge.pbx.voipnow",
        "phoneterm_bridge.pbx.calls",
        "phoneterm_bridge.pbx.permissions",
        "phoneterm_bridge.pbx.port",
        "phoneterm_bridge.settings.voipnow",
        "phoneterm_bridge.settings.problem",
        "phoneterm.core.messages",
    },
    "tools/phoneterm_bridge/csv_files": {
        "phoneterm_bridge.csv_files",
        "phoneterm_bridge.store",
        "phoneterm_bridge.wording.outside",
        "phoneterm.core.operations",
    },
    "tools/phoneterm_bridge/mqtt": {
        "phoneterm_bridge.mqtt",
        "phoneterm_bridge.settings.problem",
        "phoneterm.core.messages",
    },
    "tools/phoneterm_bridge/store": {
        "phoneterm_bridge.store",
        "phoneterm_bridge.settings.problem",
        "phoneterm.core.messages",
        "phoneterm.core.operations",
    },
    "tools/phoneterm_service": {"phoneterm_service"},
    "tools/phoneterm_bridge/systemd": {"phoneterm_bridge.systemd", "phoneterm_bridge.health.health"},
    "tools/device_cable": {
        "device_cable",
        "board_check.project_files",
        "firmware_build.flash_image",
        "phoneterm_bridge",
        "phoneterm.core.messages",
        "phoneterm.device.settings",
        "firmware_build.version",
    },
    "tools/labs/pbx_lab": {"pbx_lab", "lab_parts", "phoneterm_bridge.pbx.ami"},
    "tools/labs/pbx_bench": {"pbx_bench", "pbx_lab", "lab_parts", "phoneterm_bridge"},
    "tools/labs/pbx_simulator": {"pbx_simulator", "pbx_lab", "phoneterm_bridge.pbx.ami"},
    "tools/labs/voipnow_lab": {"voipnow_lab", "pbx_simulator", "pbx_lab", "phoneterm_bridge.broker.site_tls"},
    "tools/labs/virtual_phone": {
        "virtual_phone",
        "board_check.chips",
        "board_check.project_files",
        "firmware_build",
        "lab_parts.stock_modules",
        "lab_parts.parts",
        "lab_parts.bound_process",
        "lab_parts.control_token",
    },
    "tools/labs/chip_lab": {
        "chip_lab",
        "virtual_phone",
        "board_check.project_files",
        "firmware_build",
        "lab_parts",
        "desk_lab.installation",
        "phoneterm_bridge",
        "phoneterm.core.messages",
        "fault_lab",
        "link_lab.certificates",
        "pbx_lab",
    },
    "tools/labs/desk_lab": {
        "desk_lab",
        "virtual_phone",
        "chip_lab.phone",
        "pbx_lab",
        "pbx_simulator",
        "voipnow_lab.voipnow_lab",
        "lab_parts",
        "phoneterm_bridge",
    },
    "tools/labs/keypad_lab": {"keypad_lab", "phoneterm.core", "phoneterm.device.key_matrix"},
    "tools/firmware_build": {"firmware_build", "board_check"},
    "tools/labs/fault_lab": {
        "fault_lab",
        "lab_parts",
        "pbx_lab",
        "pbx_simulator",
        "phoneterm_bridge",
        "desk_lab.installation",
        "virtual_phone",
        "firmware_build",
        "phoneterm.core",
        "phoneterm.device",
        "link_lab.mosquitto",
    },
    "tools/labs/bridge_lab": {
        "bridge_lab",
        "lab_parts",
        "pbx_lab",
        "pbx_simulator",
        "phoneterm_bridge",
        "phoneterm.core.messages",
    },
    "tools/labs/attack_lab": {
        "attack_lab",
        "bridge_lab",
        "fault_lab",
        "lab_parts",
        "pbx_lab",
        "pbx_simulator",
        "virtual_phone",
        "phoneterm_bridge",
        "phoneterm.core",
    },
    "tools/labs/heap_lab": {
        "heap_lab",
        "lab_parts",
        "virtual_phone",
        "firmware_build",
        "desk_lab.installation",
    },
    "tools/labs/link_lab": {
        "link_lab",
        "lab_parts",
        "virtual_phone",
        "board_check.project_files",
        "firmware_build",
        "phoneterm_bridge",
        "phoneterm.core.messages",
    },
}
# The rooms of the bridge: each may import those above it, and itself. Its root joins them.
_ROOMS = (
    "settings", "store", "mqtt", "pbx", "wording", "permissions", "policy", "terminals", "command", "broker",
    "csv_files", "administration", "doctor", "health", "systemd", "web", "console", "cli",
)  # fmt: skip
# The pure core may use these modules of the language, and nothing that does input or output.
_PURE_MODULES = {"array", "binascii", "collections", "hashlib", "hmac", "json", "math", "micropython"}
_OURS = {
    "device_cable",
    "phoneterm", "board", "lab_parts", "phoneterm_bridge", "phoneterm_cli", "pbx_lab", "pbx_simulator", "pbx_bench",
    "virtual_phone", "keypad_lab", "link_lab", "heap_lab", "firmware_build", "fault_lab", "board_check",
    "attack_lab", "bridge_lab", "chip_lab", "desk_lab", "phoneterm_service", "voipnow_lab",
}  # fmt: skip


def _files(place):
    """Return the files of a place, without those in `vm` folders: scripts that measure the firmware from inside."""
    path = _ROOT / place
    return [path] if path.suffix == ".py" else [file for file in sorted(path.rglob("*.py")) if "vm" not in file.parts]


def _imports(path):
    """Return the dotted names a file imports, `from a import b` as "a.b" where a.b is a module of this project."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def _is_below(name, allowed):
    return any(name == part or name.startswith(part + ".") for part in allowed)


@pytest.mark.parametrize("place", _ARROWS)
def test_arrows_point_one_way(place):
    files = _files(place)
    assert files, f"{place} is empty"
    for path in files:
        for name in _imports(path):
            if name.split(".")[0] in _OURS:
                assert _is_below(name, _ARROWS[place]), f"{path.relative_to(_ROOT)} must not import {name}"


def test_the_rooms_of_the_bridge_are_in_order():
    bridge = _ROOT / "tools/phoneterm_bridge"
    assert {path.name for path in bridge.iterdir() if path.is_dir() and any(path.glob("*.py"))} == set(_ROOMS)
    for place, room in enumerate(_ROOMS):
        allowed = {f"phoneterm_bridge.{above}" for above in _ROOMS[: place + 1]}
        allowed |= {"phoneterm_bridge.service"} if room == "cli" else set()
        for path in _files(bridge / room):
            for name in _imports(path):
                if name.startswith("phoneterm_bridge."):
                    assert _is_below(name, allowed), f"{path.relative_to(_ROOT)} must not import {name}"


def test_what_is_put_into_service_does_without_the_labs():
    """The command's table of parts names labs as texts, and imports a lab only when it is used."""
    labs = {path.name for path in (_ROOT / "tools/labs").iterdir()}
    in_service = ("phoneterm_bridge", "phoneterm_cli", "phoneterm_service", "device_cable", "firmware_build")
    for place in (f"tools/{name}" for name in in_service):
        for path in _files(place):
            for name in _imports(path):
                assert name.split(".")[0] not in labs, f"{path.relative_to(_ROOT)} must not import {name}"


def test_the_core_is_pure():
    for path in _files("firmware/phoneterm/core"):
        for name in _imports(path):
            top = name.split(".")[0]
            assert top == "phoneterm" or top in _PURE_MODULES, f"{path.name} must not import {name}"


def test_only_messages_spells_a_topic():
    for path in [*_files("firmware"), *_files("tools")]:
        if path.name == "messages.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert "/v1/" not in node.value, f"{path.relative_to(_ROOT)}:{node.lineno} spells a topic"


def test_only_one_place_compares_what_a_leg_is_to_its_user():
    words = {"ringing", "dialling", "talking", "held", "consulting", "elsewhere"}
    for path in _files("tools/phoneterm_bridge"):
        if path.relative_to(_ROOT) == Path("tools/phoneterm_bridge/pbx/calls.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
            is_of_state = any(isinstance(side, ast.Attribute) and side.attr == "state" for side in sides)
            texts = {inner.value for side in sides for inner in ast.walk(side) if isinstance(inner, ast.Constant)}
            place = f"{path.relative_to(_ROOT)}:{node.lineno}" if sides else ""
            assert not (is_of_state and texts & words), f"{place} judges a leg; pbx/calls.py does"


def test_only_one_place_says_what_time_it_is_in_what_is_kept():
    others_times = ("doctor/certificate.py", "doctor/pbx.py", "console/cookies.py")  # in seconds, not in the store
    for path in _files("tools/phoneterm_bridge"):
        if path.name != "wall_clock.py" and not path.as_posix().endswith(others_times):
            text = path.read_text()
            assert "time_ns" not in text and "time.time()" not in text, f"{path.relative_to(_ROOT)}: wall_clock.py does"


def test_only_boards_spell_a_pin_number():
    for path in _files("firmware"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Pin" and node.args:
                assert not isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno} spells a pin number"


def test_modules_do_not_import_each_other_in_a_circle():
    modules = {}
    for top in ("firmware", "tools/labs", "tools"):
        for path in _files(top):
            if top == "tools" and path.is_relative_to(_ROOT / "tools/labs"):
                continue
            modules[".".join(path.relative_to(_ROOT / top).with_suffix("").parts)] = path
    arrows = {
        name: {found for found in _targets(_imports(path), modules) if found != name} for name, path in modules.items()
    }
    while arrows:
        leaves = {name for name, targets in arrows.items() if not targets & arrows.keys()}
        assert leaves, f"these import each other in a circle: {sorted(arrows)}"
        arrows = {name: targets for name, targets in arrows.items() if name not in leaves}


def _targets(names, modules):
    for name in names:
        if name in modules:
            yield name
        elif name.rpartition(".")[0] in modules:
            yield name.rpartition(".")[0]


def test_the_top_level_is_the_fixed_one():
    allowed = {
        "firmware", "host_tests", "boards", "tools", "Makefile", "README.md", "pyproject.toml", "requirements.lock",
        "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", ".ci", ".gitignore", ".editorconfig", ".pre-commit-config.yaml",
    }  # fmt: skip
    ignored = {
        ".git",
        ".venv",
        ".cache",
        "build",
        "state",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".hypothesis",
        ".coverage",
    }
    assert {path.name for path in _ROOT.iterdir()} - ignored <= allowed


def _programs_in_strings(path):
    """Return the lines of a file in which a string is a Python program of more than four lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip().count("\n") > 3:
            try:
                program = ast.parse(textwrap.dedent(node.value))
            except SyntaxError:
                continue
            if any(isinstance(part, ast.Import | ast.ImportFrom) for part in ast.walk(program)):
                yield node.lineno


def test_no_program_of_the_tests_hides_in_a_string_from_ruff():
    places = [
        (path, line) for path in sorted((_ROOT / "host_tests").rglob("*.py")) for line in _programs_in_strings(path)
    ]
    assert [f"{path.relative_to(_ROOT)}:{line}" for path, line in places] == [], "make it a file in vm_modules/"
