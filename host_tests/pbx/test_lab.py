"""The lab itself: reachable only from this machine, driven from the shell, and able to run for a long time."""

import asyncio
from pathlib import Path

import pytest
from pbx_lab.control import LabControl, ask_lab
from pbx_lab.process import LabFailed

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_shell_drives_the_lab(lab):
    control = LabControl(lab)
    port = await control.start(0)
    try:
        assert await ask_lab(port, "legs") == ["no calls"]
        assert sorted(await ask_lab(port, "call", "103", "101")) == ["101 up with 103", "103 up with 101"]
        await ask_lab(port, "hangup", "101")
        await ask_lab(port, "behave", "101", "ring")
        assert "101 ringing" in await ask_lab(port, "call", "103", "101")
        await ask_lab(port, "answer", "101")
        for words in (("call", "999", "101"), ("behave", "101", "fly"), ("dance",), ("answer", "102")):
            with pytest.raises(LabFailed):
                await ask_lab(port, *words)
    finally:
        await control.stop()


async def test_a_web_page_cannot_drive_the_lab(lab):
    control = LabControl(lab)
    port = await control.start(0)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b'POST / HTTP/1.1\r\nHost: localhost\r\n\r\n{"do": "call", "with": ["103", "101"]}\n')
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()
        assert await lab.legs() == []
    finally:
        await control.stop()


async def test_a_call_to_a_number_that_does_not_exist_fails_at_once(lab):
    with pytest.raises(LabFailed, match="refused"):
        await lab.place_call("103", "999")


async def test_a_lab_that_is_not_there_is_one_sentence(unused_tcp_port):
    with pytest.raises(LabFailed, match="no lab answers"):
        await ask_lab(unused_tcp_port, "legs")


async def test_a_port_that_is_taken_is_named(lab):
    first, second = LabControl(lab), LabControl(lab)
    port = await first.start(0)
    with pytest.raises(LabFailed, match=f"port {port} is already in use"):
        await second.start(port)
    await first.stop()


async def test_asterisk_takes_calls_and_logins_from_this_machine_only(kind, lab):
    if kind == "asterisk":
        assert lab.ami.host == "127.0.0.1"
        assert _listeners(lab.ami.port, "tcp") == {"0100007F"}
        assert _listeners(lab.sip_port, "udp") == {"0100007F"}


async def test_ten_calls_after_each_other_leave_nothing_behind(lab):
    for _ in range(10):
        await lab.place_call("103", "101")
        await lab.clear()
    assert await lab.legs() == []


def _listeners(port, protocol):
    """Return the addresses (as /proc writes them) that have this port."""
    rows = Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]
    locals_ = [row.split()[1].split(":") for row in rows if protocol == "udp" or row.split()[3] == "0A"]
    return {address for address, found in locals_ if int(found, 16) == port}
