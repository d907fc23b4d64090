"""What the phone shows: lamp, tone, display, signal and log, as events and as state."""

import pytest
from virtual_phone.wired_display import KINDS as DISPLAYS


@pytest.mark.parametrize("display", ["", *DISPLAYS])
async def test_everything_shown_is_in_the_state(start_phone, display):
    bench = await start_phone("shows", display=display)
    await bench.client.wait_for_signal("ready")
    state = await bench.client.state()
    assert state["lamp"] is True
    assert state["tone"] == 425
    assert state["display"] == ["Ready", "a line that is f"]


async def test_each_change_is_one_event_with_its_time(start_phone, until_logged):
    bench = await start_phone("shows", boot="waits_for_the_button")
    await until_logged(bench.phone, "waiting")
    await bench.client.reset()
    await bench.client.wait_for_signal("ready")
    events = [event for event in bench.client.history if event["event"] in ("lamp", "tone", "display", "signal")]
    assert [(event["event"], *list(event.values())[2:]) for event in events] == [
        ("lamp", True), ("tone", 425), ("display", ["Ready", "a line that is f"]), ("signal", "ready"),
    ]  # fmt: skip
    times_ms = [event["time_ms"] for event in bench.client.history]
    assert times_ms == sorted(times_ms)


async def test_without_power_nothing_is_shown(start_phone):
    bench = await start_phone("shows")
    await bench.client.wait_for_signal("ready")
    await bench.client.power(False)
    state = await bench.client.state()
    assert (state["power"], state["running"]) == (False, False)
    assert (state["lamp"], state["tone"], state["display"], state["signal"]) == (False, 0, None, None)
    await bench.client.power(True)
    await bench.client.wait_for_signal("ready")


async def test_the_log_is_bounded_and_can_be_asked_for(start_phone, until_logged):
    bench = await start_phone(text="for i in range(1500):\n    print('line', i)\nprint('x' * 2000)\nprint('last')")
    await until_logged(bench.phone, "last")
    assert len(bench.phone.log_lines) <= 1000
    assert max(len(line) for line in bench.phone.log_lines) <= 500
    assert (await bench.client.log(1)) == ["last"]


async def test_what_no_display_understands_is_a_line_of_the_log(start_phone, until_logged):
    bench = await start_phone(
        text="import played_bus\nplayed_bus.Bus(0x3C, 400000).writeto(0x3C, b'\\x77')", display="oled"
    )
    await until_logged(bench.phone, "the display: an SSD1306 has no such control byte: 0x77")
