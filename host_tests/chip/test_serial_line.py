"""The serial port of an emulated chip, as a tool sees it."""

import asyncio

import pytest
import serial
from chip_lab.serial_line import SerialLine


@pytest.fixture
async def line():
    """A line that keeps the bytes for its chip in `line.heard`."""
    heard = bytearray()
    line = SerialLine(heard.extend)
    line.heard = heard
    line.open()
    yield line
    line.close()


async def _until(is_so):
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_tool_and_a_chip_hear_each_other_whatever_the_bytes(line):
    sent = bytes(range(256)) * 20
    with serial.Serial(line.port, timeout=5) as port:
        await asyncio.to_thread(port.write, sent)
        await _until(lambda: len(line.heard) == len(sent))
        assert bytes(line.heard) == sent
        line.take_from_chip(sent)
        assert await asyncio.to_thread(port.read, len(sent)) == sent


async def test_a_tool_that_opens_the_port_does_not_hear_what_was_said_before(line):
    line.take_from_chip(b"old" * 30_000)
    with serial.Serial(line.port, timeout=5) as port:
        await asyncio.sleep(0.1)  # lets the line notice that the port was opened
        line.take_from_chip(b"new")
        assert await asyncio.to_thread(port.read, 3) == b"new"


async def test_what_is_on_its_way_is_lost_with_the_power(line):
    line.send(b"x" * 5000)
    line.forget_unsent()
    await asyncio.sleep(0.1)
    assert len(line.heard) < 5000
    line.send(b"y")
    await _until(lambda: line.heard.endswith(b"y"))
