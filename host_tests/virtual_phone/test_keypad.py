"""The keypad as the firmware sees it: contacts, ghosts, other wirings, and the times of taps."""

import asyncio
import itertools
import time

import pytest
from virtual_phone.client import PhoneError

SLACK_MS = 100  # on a busy computer a process waits for its turn


def _changes(phone):
    """Return the key logger's output as (contacts, chip's ms)."""
    lines = [line.split() for line in phone.log_lines if line.startswith("keys ")]
    return [(int(contacts, 16), int(ticks_ms)) for _, contacts, ticks_ms in lines]


async def _seen(until, phone, *contacts):
    await until(lambda: [seen for seen, _ in _changes(phone)] == list(contacts), f"{contacts}, not {_changes(phone)}")


async def test_one_contact_is_seen_where_it_is(key_logger, until):
    await key_logger.client.close_contact(2, 1)
    await _seen(until, key_logger.phone, 1 << 9)
    await key_logger.client.open_contact(2, 1)
    await _seen(until, key_logger.phone, 1 << 9, 0)


async def test_two_keys_are_seen_together(key_logger, until):
    await key_logger.client.hold("1")
    await key_logger.client.hold("D")
    await until(lambda: _changes(key_logger.phone)[-1:] and _changes(key_logger.phone)[-1][0] == 0x8001, "1 and D")


async def test_a_ghost_rectangle_shows_four_keys_for_three(key_logger, until):
    for legend in "124":
        await key_logger.client.hold(legend)
    await until(lambda: _changes(key_logger.phone)[-1:] and _changes(key_logger.phone)[-1][0] == 0x0033, "the ghost")


async def test_a_tap_lasts_as_long_as_asked_for(key_logger, until):
    await key_logger.client.tap("5", hold_ms=400)
    await _seen(until, key_logger.phone, 1 << 5, 0)
    (_, down_ms), (_, up_ms) = _changes(key_logger.phone)
    assert 400 - SLACK_MS <= up_ms - down_ms <= 400 + SLACK_MS


async def test_typed_keys_keep_their_order_and_their_times(key_logger, until):
    answer = await key_logger.client.type("#1102", hold_ms=80, gap_ms=80)
    await _seen(until, key_logger.phone, 1 << 14, 0, 1, 0, 1, 0, 1 << 13, 0, 2, 0)
    times_ms = [ticks_ms for _, ticks_ms in _changes(key_logger.phone)]
    assert times_ms[-1] - times_ms[0] >= 720 - SLACK_MS
    said_ms = [key["time_ms"] for key in answer["keys"]]
    assert [key["legend"] for key in answer["keys"]] == list("##11110022")
    for (seen, said), (next_seen, next_said) in itertools.pairwise(zip(times_ms, said_ms, strict=True)):
        assert abs((next_seen - seen) - (next_said - said)) <= SLACK_MS


async def test_a_busy_computer_makes_no_press_shorter(key_logger):
    phone = key_logger.phone
    asyncio.get_running_loop().call_later(0.05, time.sleep, 0.3)  # at that time the key is down, and would have come up
    down, up, next_down, next_up = (stroke.at_ms for stroke in await phone.type("12", 100, 50))
    assert up - down >= 300
    assert next_down - up >= 49
    assert next_up - next_down >= 99


async def test_roll_over_presses_the_next_key_before_the_last_is_up(key_logger, until):
    await key_logger.client.type("147", hold_ms=240, gap_ms=-80)
    await _seen(until, key_logger.phone, 0x001, 0x011, 0x010, 0x110, 0x100, 0)


async def test_a_held_key_cannot_be_tapped(key_logger):
    await key_logger.client.hold("5")
    with pytest.raises(PhoneError, match="key 5 is held down already"):
        await key_logger.client.tap("5")
    await key_logger.client.release("5")
    await key_logger.client.tap("5", hold_ms=1)


async def test_a_key_held_through_a_reset_is_seen_again(key_logger, until, until_logged):
    await key_logger.client.hold("A")
    await _seen(until, key_logger.phone, 0x0008)
    await key_logger.client.reset()
    await until_logged(key_logger.phone, "started", 2)
    await _seen(until, key_logger.phone, 0x0008, 0x0008)


async def test_a_column_without_pull_up_reads_low(start_phone, until_logged):
    bench = await start_phone(
        text="import board\nfrom machine import Pin\nprint('level', Pin(board.COLUMNS[0], Pin.IN).value())"
    )
    await until_logged(bench.phone, "level 0")


async def test_a_row_driven_high_beside_a_low_one_is_reported_once(start_phone, until_logged):
    bench = await start_phone("row_high_beside_a_low_one")
    await until_logged(bench.phone, "done")
    sentence = "a row was driven high while another was low: two keys of one column would short them"
    await until_logged(bench.phone, sentence)
    assert list(bench.phone.log_lines).count(sentence) == 1


async def test_resting_a_row_high_while_no_other_is_low_is_fine(start_phone, until_logged):
    bench = await start_phone("rows_at_rest")
    await until_logged(bench.phone, "done")
    assert list(bench.phone.log_lines) == ["done"]


async def test_the_hook_reaches_the_firmware(start_phone, until_logged):
    bench = await start_phone("hook_logger")
    await until_logged(bench.phone, "hook False")
    await bench.client.hook("off")
    await until_logged(bench.phone, "hook True")
    assert (await bench.client.state())["hook"] == "off"


async def test_a_row_that_keeps_the_pull_down_of_a_reset_drags_the_column_of_a_pressed_key(start_phone, until_logged):
    bench = await start_phone("pull_down_of_a_reset")
    await bench.client.hold("1")
    await until_logged(bench.phone, "and at rest again 1")
    assert list(bench.phone.log_lines) == ["with its pull-up 1", "and at rest again 1"]


async def test_looking_at_the_pins_is_cheap_and_allocates_nothing(start_phone, until):
    bench = await start_phone("probe_cost")
    await until(lambda: bench.phone.log_lines, "the cost")
    _, allocated_bytes, probe_us = bench.phone.log_lines[0].split()
    print(f"one probe: {probe_us} us of VM time, 2000 of them allocate {allocated_bytes} bytes")
    assert int(allocated_bytes) < 100  # the two numbers of the measurement itself


async def test_the_simulated_chip_leaves_the_heap_to_the_firmware(start_phone, until):
    bench = await start_phone("heap_of_the_chip")
    await until(lambda: bench.phone.log_lines, "the cost")
    took_bytes = int(bench.phone.log_lines[0].split()[1])
    print(f"the simulated chip takes {took_bytes} bytes of the heap")
    assert took_bytes < 17 * 1024
