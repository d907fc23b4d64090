"""The control socket: its manual, and every mistake that a client can make."""

import asyncio
import contextlib
import json
import re
import stat
from pathlib import Path

import pytest
from lab_parts.control_token import path_of, read_token
from virtual_phone import commands

README = Path(__file__).parents[2] / "tools" / "labs" / "virtual_phone" / "README.md"


@pytest.fixture
async def idle_phone(start_phone):
    """Return a phone whose firmware does nothing, and a client of it."""
    return await start_phone("idle")


@pytest.fixture
async def wire(idle_phone):
    """Return (reader, writer) of a bare connection to the control socket of an idle phone."""
    reader, writer = await _connect(idle_phone.phone.control_port)
    yield reader, writer
    writer.close()


async def _connect(port, first=None):
    """Connect and send a first line, the token unless another one is given."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(read_token(port) if first is None else first)
    return reader, writer


async def _ask(wire, *lines):
    """Send lines and return one answer for each."""
    reader, writer = wire
    writer.write(b"".join(line + b"\n" for line in lines))
    async with asyncio.timeout(20):
        return [json.loads(await reader.readline()) for _ in lines]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"", "the line is not JSON"),
        (b"tap 5", "the line is not JSON"),
        (b"[" * 4000, "the line is not JSON"),
        (b"\xff\xfe", "the line is not UTF-8"),
        (b'["tap"]', "the line is not a JSON object"),
        (b'{"a":}', "the line is not JSON"),
        (b'{"command":"tap","legend":"5' + b"5" * 10_000, "the line has more than 4096 bytes"),
        (b'{"command":"dial"}', "there is no such command; the commands are close, open, tap"),
        (b'{"command":["tap"]}', "there is no such command"),
        (b"{}", "there is no such command"),
        (b'{"command":"state","id":[1]}', "id must be a whole number or a text"),
        (b'{"command":"state","id":true}', "id must be a whole number or a text"),
        (b'{"command":"tap"}', "tap needs the field legend"),
        (b'{"command":"tap","legend":null}', "tap needs the field legend"),
        (b'{"command":"tap","legend":5}', "legend must be a text"),
        (b'{"command":"tap","legend":"E"}', "there is no key 'E'; the keys are 123A456B789C*0#D"),
        (b'{"command":"tap","legend":"12"}', "there is no key '12'"),
        (b'{"command":"hold","legend":"\\u0000"}', "there is no key"),
        (b'{"command":"tap","legend":"5","hold_ms":"60"}', "hold_ms must be a whole number from 1 to 60000"),
        (b'{"command":"tap","legend":"5","hold_ms":NaN}', "hold_ms must be a whole number"),
        (b'{"command":"tap","legend":"5","hold_ms":true}', "hold_ms must be a whole number"),
        (b'{"command":"tap","legend":"5","hold":60}', "tap has no field 'hold'"),
        (b'{"command":"close","row":4,"column":0}', "row must be a whole number from 0 to 3"),
        (b'{"command":"open","row":1,"column":-1}', "column must be a whole number from 0 to 3"),
        (b'{"command":"type","text":""}', "text must be a text of 1 to 64 characters"),
        (b'{"command":"type","text":"' + b"1" * 65 + b'"}', "text must be a text of 1 to 64 characters"),
        (b'{"command":"type","text":"12x"}', "there is no key 'x'"),
        (b'{"command":"type","text":"11","gap_ms":-10}', "key 1 would go down again before it is up"),
        (b'{"command":"type","text":"12","gap_ms":-60}', "hold_ms and gap_ms together must be more than 0"),
        (b'{"command":"hook","position":"up"}', "position must be on or off"),
        (b'{"command":"wifi","up":1}', "up must be true or false"),
    ],
)
async def test_a_line_that_is_not_right_gets_one_sentence_and_the_phone_goes_on(wire, line, sentence):
    refusal, answer = await _ask(wire, line, b'{"id":"next","command":"state"}')
    assert refusal["ok"] is False
    assert refusal["error"].startswith(sentence)
    assert "\n" not in refusal["error"]
    assert (answer["id"], answer["ok"], answer["running"]) == ("next", True, True)


async def test_the_id_comes_back_also_in_a_refusal(wire):
    answers = await _ask(wire, b'{"id":7,"command":"tap"}', b'{"id":"a","command":"state"}', b'{"command":"state"}')
    assert [(answer["id"], answer["ok"]) for answer in answers] == [(7, False), ("a", True), (None, True)]


async def test_short_commands_are_answered_while_a_long_one_is_under_way(wire):
    _reader, _ = wire
    answers = await _ask(wire, b'{"id":1,"command":"tap","legend":"5","hold_ms":200}', b'{"id":2,"command":"state"}')
    assert [answer["id"] for answer in answers] == [2, 1]
    assert answers[0]["contacts"] == [[1, 1]]


async def test_too_many_commands_at_once_are_refused(wire):
    tap = b'{"id":%d,"command":"type","text":"5","hold_ms":300}'
    answers = await _ask(wire, b'{"id":0,"command":"hold","legend":"1"}', *(tap % number for number in range(1, 40)))
    refused = [answer for answer in answers if "under way" in answer.get("error", "")]
    assert len(refused) == 39 + 1 - 32


async def test_events_come_only_to_those_who_watch(wire):
    _reader, _ = wire
    (tapped,) = await _ask(wire, b'{"command":"tap","legend":"1","hold_ms":1}')
    assert tapped["ok"]
    await _ask(wire, b'{"command":"watch"}')
    event, answer = await _ask(wire, b'{"command":"hook","position":"off"}', b'{"command":"watch","on":false}')
    assert (event["event"], event["position"]) == ("hook", "off")
    assert answer["ok"]


async def test_a_key_tapped_by_a_client_that_leaves_comes_up_again(idle_phone, until):
    _reader, writer = await _connect(idle_phone.phone.control_port)
    writer.write(b'{"command":"tap","legend":"5","hold_ms":100}\n')
    await until(lambda: idle_phone.phone.matrix.closed, "the key is down")
    writer.close()
    await until(lambda: not idle_phone.phone.matrix.closed, "the key is up")


async def test_half_a_line_is_no_command(idle_phone):
    reader, writer = await _connect(idle_phone.phone.control_port)
    writer.write(b'{"command":"hold","legend":"5"}')
    writer.write_eof()
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()
    assert not idle_phone.phone.matrix.closed


_HOLD = b'{"command":"hold","legend":"5"}\n'


@pytest.mark.parametrize(
    "begin",
    [
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 32\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"",
        b"\n",
        b"A" * 43 + b"\n",
        b"x" * 10_000 + b"\n",
    ],
)
async def test_a_web_page_or_whoever_else_has_no_token_presses_no_key_and_gets_no_answer(idle_phone, begin):
    reader, writer = await _connect(idle_phone.phone.control_port, begin + _HOLD)
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionResetError):  # the rest of what was sent was never read
            assert await reader.read() == b""
    writer.close()
    assert not idle_phone.phone.matrix.closed
    assert (await idle_phone.client.state())["running"]


async def test_the_token_is_for_this_user_alone_and_goes_with_the_phone(start_phone):
    bench = await start_phone("idle")
    path = path_of(bench.phone.control_port)
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    await bench.phone.stop()
    assert not path.exists()


def _rows(heading):
    """Return the first two cells of each row of the README's table that starts with this heading."""
    table = README.read_text().split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    cells = re.findall(r"^\| `(\w+)` \|([^|]*)\|", table, re.MULTILINE)
    return {name: set(re.findall(r"`([a-z_]+)`", fields)) for name, fields in cells}


def test_the_manual_lists_every_command_with_its_fields():
    assert _rows("command") == {name: set(fields) for name, fields in commands.FIELDS.items()}
