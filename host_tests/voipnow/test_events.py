"""Where VoipNow tells of calls, a look follows at once; nothing that it says is believed, and nothing stays there."""

import asyncio
import time

import httpx
import pytest
import pytest_asyncio
from attack_lab.scenery.waiting import until
from lab_parts.free_port import free_port
from pbx.desk import CALLER, USER
from pbx.office import Office
from phoneterm_bridge.pbx.voipnow.kept_registrations import KeptRegistrations, Registered
from phoneterm_bridge.store.directory import Directory
from voipnow_lab.call_events import Registration
from voipnow_lab.faults import ALWAYS

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXTENSION = "0003*101"
LOOK_EVERY_S = 0.2
KINDS = ["0", "1", "2", "3", "4"]


@pytest_asyncio.fixture(loop_scope="session")
async def open_told(lab, tmp_path):
    """A function that opens an office to which VoipNow tells of calls, and which by itself never looks again."""
    offices = []

    async def open_one(url=None):
        port = free_port()
        changes = (
            "http.enabled=true", f"http.port={port}", f"voipnow.events_url={url or f'http://127.0.0.1:{port}/calls'}",
            "voipnow.poll_ms=60000",
        )  # fmt: skip
        offices.append(Office(lab, tmp_path, changes=changes))
        await offices[-1].__aenter__()
        await until(lambda: len(of_extension(lab)) == len(KINDS))
        return offices[-1]

    yield open_one
    for office in offices:
        await office.__aexit__()


def of_extension(lab):
    return [one for one in lab.events.registrations if one.extension == EXTENSION]


async def test_a_call_is_known_as_soon_as_voipnow_tells_of_it(open_told, lab):
    office = await open_told()
    await lab.set_behaviour(USER, "ring")
    await lab.place_call(CALLER, USER)
    await office.call_is("ringing")
    await lab.answer(USER)
    await office.call_is("talking")
    await lab.hang_up(USER)
    await office.call_is("idle")


async def test_one_address_is_registered_for_each_kind_of_happening_of_a_terminals_extension(open_told, lab):
    office = await open_told()
    assert sorted(one.kind for one in lab.events.registrations) == KINDS
    assert {one.extension for one in lab.events.registrations} == {EXTENSION}
    urls = {one.url for one in lab.events.registrations}
    assert urls == {f"{office.settings.voipnow.events_url}/{office.bridge.parts.pbx.web_hook.key}"}


async def test_what_was_registered_is_taken_back_at_the_end_and_other_peoples_stays(open_told, lab):
    office = await open_told()
    others = Registration("x1", EXTENSION, "0", "https://crm.example/calls/1", "")
    lab.events.registrations.append(others)
    await office.bridge.stop()
    assert lab.events.registrations == [others]
    await office.open()


async def test_what_an_earlier_start_has_left_there_is_removed(open_told, lab):
    office = await open_told()
    await office.bridge.stop()
    old = f"{office.settings.voipnow.events_url}/an-old-key"
    lab.events.registrations += [Registration(f"old{kind}", EXTENSION, kind, old, "") for kind in ("0", "2")]
    await office.open()
    await until(lambda: sorted(one.kind for one in of_extension(lab) if one.url != old) == KINDS)
    assert old not in {one.url for one in of_extension(lab)}


async def crash(office, lab):
    """Stop a bridge that cannot say so to VoipNow any more."""
    await lab.close_https()
    await office.bridge.stop()
    await lab.open_https()


def set_events_url(office, url):
    changed = office.settings.voipnow.model_copy(update={"events_url": url})
    office.settings = office.settings.model_copy(update={"voipnow": changed})


async def test_after_a_crash_nothing_is_left_at_the_extension_of_a_terminal_that_was_removed_meanwhile(open_told, lab):
    office = await open_told()
    office.enrol("t102", "102")
    await office.bridge.refresh()
    await until(lambda: len(lab.events.registrations) == 2 * len(KINDS))
    await crash(office, lab)
    assert len(lab.events.registrations) == 2 * len(KINDS)
    Directory(office.engine, "test").remove_extension("102")
    await office.open()
    await until(lambda: {one.extension for one in lab.events.registrations} == {EXTENSION})


@pytest.mark.parametrize("path", ["/elsewhere", None])
async def test_after_a_crash_nothing_is_left_with_an_address_that_was_changed_or_taken_away(open_told, lab, path):
    office = await open_told()
    old = {one.url for one in lab.events.registrations}
    others = Registration("x1", EXTENSION, "0", f"{office.settings.voipnow.events_url}/another-bridge/key", "")
    lab.events.registrations.append(others)
    await crash(office, lab)
    set_events_url(office, f"http://127.0.0.1:{office.settings.http.port}{path}" if path else "")
    await office.open()
    await until(lambda: not any(one.url in old for one in lab.events.registrations))
    assert others in lab.events.registrations
    if path:
        await until(lambda: len(lab.events.registrations) == len(KINDS) + 1)


async def test_what_voipnow_does_not_let_a_start_remove_is_named_once_and_left_to_the_next(open_told, lab, capsys):
    office = await open_told()
    old = len(lab.events.registrations)
    await crash(office, lab)
    set_events_url(office, "")
    lab.faults.add("event", "403", ALWAYS)
    said = []

    def count():
        said.append(capsys.readouterr().out)
        return "".join(said).count("events-left-behind")

    await office.open()
    await until(count)
    await office.bridge.refresh()
    await crash(office, lab)
    assert count() == 1
    assert len(lab.events.registrations) == old
    lab.faults.clear()
    await office.open()
    await until(lambda: lab.events.registrations == [])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1]",
        b'[["a"]]',
        b"\xff",
        pytest.param(b"[" * 100_000, id="nested"),
        b'[["https://voipnow.example", "..", "x"]]',
    ],
)
async def test_a_file_of_registrations_that_cannot_be_read_counts_as_none_and_is_written_anew(tmp_path, content):
    path = tmp_path / "kept"
    path.write_bytes(content)
    kept = KeptRegistrations(path, "https://voipnow.example")
    assert kept.read() == set()
    kept.add([Registered(EXTENSION, "https://bridge.example/calls/")])
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeptRegistrations(path, "https://elsewhere.example").read() == set()
    again = KeptRegistrations(path, "https://voipnow.example")
    assert again.read() == {Registered(EXTENSION, "https://bridge.example/calls/")}
    again.forget(again.read())
    assert KeptRegistrations(path, "https://voipnow.example").read() == set()


async def test_a_terminal_that_is_enrolled_later_is_told_of_too(open_told, lab):
    office = await open_told()
    office.enrol("t102", "102")
    await office.bridge.refresh()
    await until(lambda: {one.extension for one in lab.events.registrations} == {EXTENSION, "0003*102"})


async def test_nothing_in_an_event_is_believed(open_told, lab):
    office = await open_told()
    read = len(lab.requests)
    url = lab.events.registrations[0].url
    async with httpx.AsyncClient() as stranger:
        answer = await stranger.post(url, data={"CallID": "x", "CalledExtension": EXTENSION, "CallStatus": "3"})
    assert (answer.status_code, answer.content) == (204, b"")
    await until(lambda: len(lab.requests) > read)
    assert set(lab.requests[read:]) == {"GET /uapi/phoneCalls/@me/@self"}
    assert office.told_call() == ("idle", None)


async def test_without_the_key_there_is_only_what_others_may_see(open_told, lab):
    office = await open_told()
    read, url = len(lab.requests), office.settings.voipnow.events_url
    async with httpx.AsyncClient() as stranger:
        assert (await stranger.post(f"{url}/wrong-key")).status_code == 405
        assert (await stranger.get(f"{url}/wrong-key")).status_code == 404
        assert (await stranger.get(url)).status_code == 404
    assert len(lab.requests) == read


async def test_many_events_are_not_as_many_looks(open_told, lab):
    await open_told()
    read, began_s = len(lab.requests), time.monotonic()
    url = lab.events.registrations[0].url
    async with httpx.AsyncClient() as stranger:
        await asyncio.gather(*(stranger.post(url) for _ in range(50)))
    await until(lambda: len(lab.requests) > read)
    most = (time.monotonic() - began_s) / LOOK_EVERY_S + 1
    assert len(lab.requests) - read <= most


async def test_an_event_does_not_hurry_a_bridge_that_was_told_to_wait(open_told, lab):
    office = await open_told()
    lab.faults.add("list", "429", ALWAYS)
    read, url = len(lab.requests), lab.events.registrations[0].url
    async with httpx.AsyncClient() as stranger:
        await stranger.post(url)
        await until(lambda: len(lab.requests) == read + 1)
        await stranger.post(url)
        await stranger.post(url)
    await office.reopen()  # waits for everything that was under way
    assert lab.requests[read + 1 :].count("GET /uapi/phoneCalls/@me/@self") == 1  # the new bridge's first look


async def test_a_registration_that_fails_is_told_once_and_the_bridge_works(lab, tmp_path, capsys):
    lab.faults.add("event", "403", ALWAYS)
    changes = ("http.enabled=true", "http.port=0", "voipnow.events_url=https://bridge.example/calls")
    async with Office(lab, tmp_path, changes=changes) as office:
        await office.talk()
        await until(lambda: any("/phoneCallEvents" in one for one in lab.requests))
    assert lab.events.registrations == []
    assert capsys.readouterr().out.count("events-not-registered") == 1
