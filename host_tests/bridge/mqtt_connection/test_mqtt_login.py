"""The bridge's MQTT connection until it is open, with a broker that does what real ones do not."""

import asyncio
import time

import pytest
from bridge.written_broker import AT_MOST_S, LET_IN, WILL, message, refusal
from phoneterm_bridge.mqtt.broker_limits import HANGING_UP
from phoneterm_bridge.mqtt.connection import Limits
from phoneterm_bridge.settings.problem import SetupProblem

pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture:DeprecationWarning")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "unacceptable protocol version"),
        (2, "identifier rejected"),
        (3, "broker unavailable"),
        (4, "bad user name or password"),
        (5, "not authorised"),
        (77, "unknown error"),
    ],
)
async def test_a_login_that_is_refused(broker, code, words):
    said = await refusal(broker, broker.take(), broker.say(bytes((0x20, 2, 0, code))))
    keepalive = "; a mosquitto says so where its max_keepalive is less than broker.keepalive_s (" * (code == 2)
    assert said.startswith(f"connection refused: {words}{keepalive}")
    assert code == 2 or said == f"connection refused: {words}"
    assert await broker.take() == (b"", b"")  # not even a DISCONNECT: it was never logged in


@pytest.mark.parametrize("granted", [b"\x80\x01", b"\x01\x80", b"\x01"])
async def test_a_subscription_that_is_refused(broker, granted):
    assert await refusal(broker, broker.let_in(granted)) == "it refuses the bridge's subscription"


@pytest.mark.parametrize("is_let_in", [False, True])
async def test_a_broker_that_does_not_answer(broker, is_let_in):
    broker.make_connection(limits=Limits(connect_s=0.2))
    assert await refusal(broker, *([broker.take(), broker.say(LET_IN)] if is_let_in else [])) == "it does not answer"
    started_s = time.monotonic()
    await broker.connection.close()
    assert time.monotonic() - started_s < AT_MOST_S


@pytest.mark.parametrize("with_reset", [False, True])
@pytest.mark.parametrize("step", range(4))
async def test_a_broker_that_hangs_up_before_the_bridge_is_in(broker, step, with_reset):
    steps = [broker.take, lambda: broker.say(LET_IN), broker.take][:step]
    words = await refusal(broker, *(one() for one in steps), broker.hang_up(with_reset))
    limits = HANGING_UP * (step < 2)
    assert words in (f"it hangs up{limits}", "it hangs up", "connection reset by peer")


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n" + bytes(80), "it sends a packet that no broker may send"),
        (message("t/x"), "it sends packets out of order"),
        (b"\xd0\x00", "it sends packets out of order"),
        (b"\x32\xff\xff\xff\xff", "it sends an invalid length"),
    ],
)
async def test_a_broker_that_does_not_speak_as_one_when_asked(broker, octets, words):
    assert (await refusal(broker, broker.take(), broker.say(octets))).startswith(words)


async def test_the_login_has_the_will_and_asks_for_both_filters(broker):
    opening = asyncio.create_task(broker.connection.open())
    _, login = await broker.take()
    assert b"bridge" in login
    assert WILL.payload in login
    await broker.say(LET_IN)
    first, body = await broker.take()
    assert (first, body[2:]) == (b"\x82", b"\x00\x03t/#\x01\x00\x07t/state\x01")
    await broker.say(b"\x90\x04" + body[:2] + b"\x01\x00")
    await opening


async def test_a_setting_that_cannot_be_used_is_one_sentence(broker):
    def make_tls():
        raise SetupProblem("The file is not there.")

    broker.make_connection(make_tls=make_tls)
    assert await refusal(broker) == "The file is not there"
    broker.make_connection(host="a" * 70 + ".lab")
    assert await refusal(broker) != ""
