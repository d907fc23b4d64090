"""The commands of the control socket: their names, their fields, and what they do to a phone.

Does not know sockets. A line is bytes without its newline; if it is wrong, the result is a value, Refusal(sentence).
README.md describes the same commands for people and is tested against this table.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from virtual_phone.handset import Handset
from virtual_phone.keystrokes import plan_keystrokes

MOST_LINE_BYTES = 4096
MOST_TYPED_KEYS = 64
MOST_ID_CHARS = 64


class Refusal(NamedTuple):
    """Why a line was not carried out, in one sentence; `request_id` is its id if that could be read."""

    sentence: str
    request_id: Any = None


@dataclass(frozen=True)
class Field:
    """One field of a command: `check` returns what is wrong, or "". A field without a default is required."""

    check: Callable[[Any], str]
    default: Any = None


class Request(NamedTuple):
    """A checked line."""

    request_id: Any
    command: str
    fields: dict[str, Any]


def _whole(lowest: int, highest: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        is_right = isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest
        return "" if is_right else f"must be a whole number from {lowest} to {highest}"

    return check


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _choice(*choices: str) -> Callable[[Any], str]:
    return lambda value: "" if isinstance(value, str) and value in choices else f"must be {' or '.join(choices)}"


def _text(value: Any) -> str:
    is_right = isinstance(value, str) and 1 <= len(value) <= MOST_TYPED_KEYS
    return "" if is_right else f"must be a text of 1 to {MOST_TYPED_KEYS} characters"


_CONTACT = {"row": Field(_whole(0, 3)), "column": Field(_whole(0, 3))}
_LEGEND = {"legend": Field(_text)}
_HOLD_MS = {"hold_ms": Field(_whole(1, 60_000), 60)}
_GAP_MS = {"gap_ms": Field(_whole(-60_000, 60_000), 60)}

FIELDS: dict[str, dict[str, Field]] = {
    "close": _CONTACT,
    "open": _CONTACT,
    "tap": {**_LEGEND, **_HOLD_MS},
    "hold": _LEGEND,
    "release": _LEGEND,
    "type": {"text": Field(_text), **_HOLD_MS, **_GAP_MS},
    "hook": {"position": Field(_choice("on", "off"))},
    "wifi": {"up": Field(_flag)},
    "reset": {},
    "power": {"on": Field(_flag)},
    "state": {},
    "log": {"lines": Field(_whole(1, 1000), 100)},
    "watch": {"on": Field(_flag, True)},
}


def parse_request(line: bytes) -> Request | Refusal:
    """Return the checked request of one line."""
    try:
        document = json.loads(line.decode())
    except UnicodeDecodeError:
        return Refusal("the line is not UTF-8")
    except (ValueError, RecursionError):
        return Refusal("the line is not JSON")
    if not isinstance(document, dict):
        return Refusal("the line is not a JSON object")
    request_id = document.pop("id", None)
    if not _is_id(request_id):
        return Refusal(f"id must be a whole number or a text of at most {MOST_ID_CHARS} characters")
    command = document.pop("command", None)
    if not isinstance(command, str) or command not in FIELDS:
        return Refusal(f"there is no such command; the commands are {', '.join(FIELDS)}", request_id)
    return _checked_fields(request_id, command, document)


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= MOST_ID_CHARS
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53)


def _checked_fields(request_id: Any, command: str, document: dict[str, Any]) -> Request | Refusal:
    fields = {}
    for name, field in FIELDS[command].items():
        value = document.pop(name, field.default)
        if value is None:
            return Refusal(f"{command} needs the field {name}", request_id)
        if wrong := field.check(value):
            return Refusal(f"{name} {wrong}", request_id)
        fields[name] = value
    if document:
        return Refusal(f"{command} has no field {next(iter(document))[:40]!r}", request_id)
    return Request(request_id, command, fields)


async def carry_out(phone: Handset, request: Request) -> dict[str, Any] | Refusal:
    """Carry out a request, and return the answer's fields when it is done."""
    action = _ACTIONS[request.command]
    return await action(phone, **request.fields)


async def _close(phone: Handset, row: int, column: int) -> dict[str, Any]:
    phone.set_contact(row, column, True)
    return {}


async def _open(phone: Handset, row: int, column: int) -> dict[str, Any]:
    phone.set_contact(row, column, False)
    return {}


async def _tap(phone: Handset, legend: str, hold_ms: int) -> dict[str, Any] | Refusal:
    if phone.wiring.position(legend) is None:
        return _no_key(phone, legend)
    return await _type(phone, legend, hold_ms, 0)


async def _hold(phone: Handset, legend: str) -> dict[str, Any] | Refusal:
    return _set_key(phone, legend, True)


async def _release(phone: Handset, legend: str) -> dict[str, Any] | Refusal:
    return _set_key(phone, legend, False)


def _set_key(phone: Handset, legend: str, is_down: bool) -> dict[str, Any] | Refusal:
    if phone.wiring.position(legend) is None:
        return _no_key(phone, legend)
    phone.set_key(legend, is_down)
    return {}


async def _type(phone: Handset, text: str, hold_ms: int, gap_ms: int) -> dict[str, Any] | Refusal:
    for legend in text:
        position = phone.wiring.position(legend)
        if position is None:
            return _no_key(phone, legend)
        if position in phone.matrix.closed:
            return Refusal(f"key {legend} is held down already")
    try:
        plan_keystrokes(text, hold_ms, gap_ms)
    except ValueError as error:
        return Refusal(str(error))
    strokes = await phone.type(text, hold_ms, gap_ms)
    return {"keys": [{"time_ms": at_ms, "legend": legend, "down": is_down} for at_ms, legend, is_down in strokes]}


def _no_key(phone: Handset, legend: str) -> Refusal:
    return Refusal(f"there is no key {legend!r}; the keys are {phone.wiring.legends}")


async def _hook(phone: Handset, position: str) -> dict[str, Any]:
    phone.set_hook(position == "off")
    return {}


async def _wifi(phone: Handset, up: bool) -> dict[str, Any]:
    phone.set_wifi(up)
    return {}


async def _reset(phone: Handset) -> dict[str, Any] | Refusal:
    if phone.power.chip is None:
        return Refusal("the phone has no power")
    await phone.power.restart("button")
    return {}


async def _power(phone: Handset, on: bool) -> dict[str, Any]:
    await (phone.power.on("power") if on else phone.power.off())
    return {}


async def _state(phone: Handset) -> dict[str, Any]:
    return phone.state()


async def _log(phone: Handset, lines: int) -> dict[str, Any]:
    return {"lines": list(phone.log_lines)[-lines:]}


_ACTIONS: dict[str, Callable[..., Awaitable[dict[str, Any] | Refusal]]] = {
    "close": _close,
    "open": _open,
    "tap": _tap,
    "hold": _hold,
    "release": _release,
    "type": _type,
    "hook": _hook,
    "wifi": _wifi,
    "reset": _reset,
    "power": _power,
    "state": _state,
    "log": _log,
}
