"""Logs: machines can read them, outside text cannot forge them, and they contain neither digits nor secrets."""

import asyncio
import json
import logging
from pathlib import Path

import pytest
import structlog
from phoneterm.core import messages
from phoneterm_bridge.mqtt.connection import BrokerAddress
from phoneterm_bridge.store.refreshing import keep_refreshing
from phoneterm_bridge.wording.logs import MAX_TEXT_CHARS, set_up_logs, shorten


def test_json_logs_are_one_object_a_line_whoever_logs(capfd):
    set_up_logs("json", "info")
    structlog.get_logger().info("happened", tid="phone-101")
    logging.getLogger("somebody.else").warning("said %s", "so")
    logging.getLogger("amqtt.broker").error("noise")
    structlog.get_logger().debug("too fine")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("happened", "info"), ("said so", "warning")]


@pytest.mark.parametrize("value", ["\udc80", "\x9b31m", "ü€", 1 << 70, {1, 2}, Path("/x"), ValueError("y")])
def test_whatever_is_logged_is_one_line_of_ascii(capfd, value):
    set_up_logs("json", "info")
    structlog.get_logger().info("happened", value=value)
    (line,) = capfd.readouterr().err.splitlines()
    assert line.isascii()
    assert json.loads(line)["value"] == (value if isinstance(value, str | int) else repr(value))


def test_what_a_dataclass_hides_is_not_logged(capfd):
    set_up_logs("json", "info")
    structlog.get_logger().info("happened", address=BrokerAddress("broker", 1883, "bridge", "hush"))
    assert "hush" not in capfd.readouterr().err


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_local_variables(capfd, log_format):
    set_up_logs(log_format, "info")
    secret = "hush-" + "hush"
    try:
        raise OSError(len(secret))
    except OSError:
        structlog.get_logger().exception("failed")
    assert "hush-hush" not in capfd.readouterr().err


@pytest.mark.parametrize("text", ["two\nlines", "\x1b[31mred", "ü€", "\0", "x" * 500])
def test_outside_text_is_printable_ascii_and_short(text):
    shown = shorten(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= MAX_TEXT_CHARS


async def test_no_number_and_no_secret_reaches_the_log(make, tmp_path, capfd):
    set_up_logs("json", "debug")
    scene = await make.Scene(tmp_path).start()
    terminal = await scene.terminal()
    await terminal.hello()
    scene.pbx.change_calls("101", *scene.pbx.calls("101"))
    for op, number in (("blind", "0301234567"), ("blind", "103"), ("attended", "199")):
        await terminal.ask(op, number)
    await scene.link.send(terminal.topic(messages.COMMAND), b'{"number":"0301234567"}')
    await scene.stop()
    logged = capfd.readouterr().err
    assert '"event":"result"' in logged
    for hidden in ("0301234567", '"103"', '"199"', scene.enrolment.mqtt_password, scene.enrolment.mac_key.hex()):
        assert hidden not in logged


async def test_a_store_that_cannot_be_read_is_logged_once_and_once_when_it_can_again(make, capfd):
    set_up_logs("json", "info")
    tries, reads = [], []

    async def refresh():
        tries.append(None)
        if 2 < len(tries) < 10:
            raise OSError

    refreshing = asyncio.create_task(keep_refreshing(refresh, lambda: reads.append(None), every_s=0))
    await make.until(lambda: len(reads) > 5)
    refreshing.cancel()
    events = [json.loads(line)["event"] for line in capfd.readouterr().err.splitlines()]
    assert events == ["directory-not-read", "directory-read-again"]
