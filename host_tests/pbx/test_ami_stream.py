"""The PBX never misreads the value of a header: it comes back unchanged, or is never sent."""

import random

import pytest
from pbx.desk import CALLER, USER
from pbx_lab.legs import are_alone

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Characters that may end a line, begin a header, a pattern or a function, or have a meaning in a dialplan.
NASTY = [
    "\r", "\n", "\r\n", "\0", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x7f", "\x1b[2J", "\ud800",
    ": ", "Action: Hangup", "Channel: /.*/", "ActionID: 1", "/.*/", "${EXTEN}", "$[1+1]",
    "\\", '"', ";", ",", "|", "é", "１０２",
]  # fmt: skip
TRIES = 150


def _texts():
    chooser = random.Random(20260302)
    for _ in range(TRIES):
        yield "a" + "".join(chooser.choice(NASTY) for _ in range(chooser.randint(1, 6))) + "z"


async def test_what_leaves_comes_back_as_it_was_and_the_rest_is_refused_before_anything_is_sent(desk):
    await desk.talk()
    channel = next(leg.channel for leg in await desk.lab.legs() if leg.endpoint == USER)
    sent = 0
    for text in _texts():
        headers = [("Channel", channel), ("Variable", "PHONETERM_TRIED"), ("Value", text)]
        try:
            answer = await desk.ask("Setvar", headers)
        except ValueError:
            assert {"\r", "\n", "\0", "\ud800"} & set(text)
            continue
        sent += 1
        assert answer.get("Response") == "Success"
        headers = [("Channel", channel), ("Variable", "PHONETERM_TRIED")]
        assert (await desk.ask("Getvar", headers)).get("Value") == text
    assert 0 < sent < TRIES
    assert are_alone(await desk.lab.legs(), CALLER, USER)
    assert desk.availability == [True]
