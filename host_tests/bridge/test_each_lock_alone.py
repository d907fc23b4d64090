"""Never late, never twice: each of the seven locks of the contract is enough by itself, with the other six removed.

And each danger is real: without any lock the PBX is asked, or the person at the phone hears nothing. The bridge's locks
(2 to 6) are removed by patching, the phone's (1 and 7) by a phone that sends whatever it is told to.
"""

import time

import pytest
from bridge.real_phone import RealPhone, settle
from phoneterm.core import link as phone_link
from phoneterm.core import messages
from phoneterm_bridge.command import checks
from phoneterm_bridge.command.message_router import MessageRouter
from phoneterm_bridge.store.journal import Journal
from phoneterm_bridge.terminals.replay_window import ReplayWindow
from phoneterm_bridge.terminals.sessions import Session, Sessions

TTL_MS = 150


def take_out_retained(patch):
    """Lock 2: a command with the retain flag is accepted like any other."""
    receive = MessageRouter.receive
    patch.setattr(
        MessageRouter,
        "receive",
        lambda self, topic, payload, _, acknowledge: receive(self, topic, payload, False, acknowledge),
    )


def take_out_session(patch):
    """Lock 3: every command belongs to the present session, or to an invented one."""
    live = Sessions.live
    made_up = Session("", "", "", time.monotonic(), TTL_MS)
    patch.setattr(Session, "owns", lambda self, command_id: True)
    patch.setattr(Sessions, "live", lambda self, tid: live(self, tid) or made_up)


def take_out_age(patch):
    """Lock 4: everything is fresh."""
    patch.setattr(Session, "is_fresh", lambda self, since_ms, now_s: True)


def take_out_once(patch):
    """Lock 5: no command has been seen before."""

    async def forget(self, terminal, command_id):
        return None

    patch.setattr(Journal, "remembered", lambda self, tid, command_id: None)
    patch.setattr(Journal, "look_up", forget)
    patch.setattr(ReplayWindow, "admit", lambda self, number: True)


def take_out_call(patch):
    """Lock 6: any existing call counts as the one that is meant."""
    patch.setattr(checks, "choose_call", lambda calls, ref, first_key_s: calls[0] if calls else "no-call")


BRIDGE_LOCKS = {
    "retained": take_out_retained, "session": take_out_session, "age": take_out_age, "once": take_out_once,
    "call": take_out_call,
}  # fmt: skip


async def send(scene, terminal, fields, is_retained=False):
    await terminal.send(messages.COMMAND, fields, is_retained=is_retained)
    await settle(scene)


async def replay_retained(scene, terminal, make):
    """The broker retains a command and delivers it when the bridge comes back."""
    await send(scene, terminal, terminal.command(), is_retained=True)
    return len(scene.pbx.asked)


async def deliver_across_sessions(scene, terminal, make):
    """A command is still on its way when the terminal says hello again."""
    late = terminal.command()
    await terminal.hello()
    await send(scene, terminal, late)
    return len(scene.pbx.asked)


async def deliver_late(scene, terminal, make):
    """A command takes longer than its time to live."""
    late = terminal.command()
    keyed_s = time.monotonic()
    await make.until(lambda: time.monotonic() > keyed_s + TTL_MS / 1000 + 0.05)
    await send(scene, terminal, late)
    return len(scene.pbx.asked)


async def deliver_twice(scene, terminal, make):
    """A command comes again after its transfer is over, while another call is up that it could hit."""
    command = terminal.command(call=None)
    await send(scene, terminal, command)
    assert len(scene.pbx.asked) == 1
    scene.pbx.listener.on_progress("c1", "done", None)
    await send(scene, terminal, command)
    return len(scene.pbx.asked) - 1


async def deliver_into_the_next_call(scene, terminal, make):
    """The call that was meant has ended, and the next one is up."""
    command = terminal.command()
    scene.pbx.change_calls("101", make.talking("c2"))
    await send(scene, terminal, command)
    return len(scene.pbx.asked)


DANGERS = {
    "retained": replay_retained, "session": deliver_across_sessions, "age": deliver_late, "once": deliver_twice,
    "call": deliver_into_the_next_call,
}  # fmt: skip


@pytest.fixture
async def scene(tmp_path, make):
    """A bridge whose commands live for TTL_MS."""
    scene = await make.Scene(tmp_path, ttl_ms=TTL_MS).start()
    yield scene
    await scene.stop()


async def meet_danger(scene, make, monkeypatch, lock, kept):
    """Return how often the PBX was wrongly asked with only the locks `kept`."""
    for name, take_out in BRIDGE_LOCKS.items():
        if name not in kept:
            take_out(monkeypatch)
    terminal = await scene.terminal()
    await terminal.hello()
    return await DANGERS[lock](scene, terminal, make)


@pytest.mark.parametrize("lock", BRIDGE_LOCKS)
async def test_without_any_lock_the_pbx_is_wrongly_asked(scene, make, monkeypatch, lock):
    assert await meet_danger(scene, make, monkeypatch, lock, kept=()) == 1


@pytest.mark.parametrize("lock", BRIDGE_LOCKS)
async def test_with_this_lock_alone_it_is_not(scene, make, monkeypatch, lock):
    assert await meet_danger(scene, make, monkeypatch, lock, kept=(lock,)) == 0


@pytest.fixture
async def phone(scene, monkeypatch):
    """The real phone, ready, at a bridge without any lock."""
    for take_out in BRIDGE_LOCKS.values():
        take_out(monkeypatch)
    phone = RealPhone(scene)
    await phone.set_link(True)
    await phone.wait(100)
    assert phone.signals[-1] == "ready"
    return phone


async def test_lock_1_alone_a_phone_without_a_link_refuses_at_once_and_sends_nothing_later(scene, phone):
    await phone.set_link(False)
    phone.signals.clear()
    await phone.key("#1102A")
    assert "no-link" in phone.signals
    await phone.set_link(True)
    await phone.wait(30_000)
    assert scene.pbx.asked == []


async def test_without_lock_1_what_was_keyed_without_a_link_is_carried_out_later(scene, phone):
    phone.is_up = False  # and the phone ignores it
    await phone.key("#1102A")
    (kept,) = (action for action in phone.unsent if action.topic.endswith(messages.COMMAND))
    await phone.set_link(False)
    await phone.set_link(True)
    await phone.wait(30_000)
    await scene.link.send(kept.topic, kept.payload)
    await settle(scene)
    assert len(scene.pbx.asked) == 1


async def test_lock_7_alone_a_phone_that_hears_no_answer_says_so_after_3_seconds(scene, phone):
    phone.is_deaf = True
    phone.signals.clear()
    await phone.key("#1102A")
    assert len(scene.pbx.asked) == 1
    assert "failed" not in phone.signals
    await phone.wait(3100)
    assert "failed" in phone.signals


async def test_without_lock_7_it_is_silent_for_ever(scene, phone, monkeypatch):
    monkeypatch.setattr(phone_link, "ANSWER_MS", 10**9)
    phone.is_deaf = True
    phone.signals.clear()
    await phone.key("#1102A")
    await phone.wait(30_000)
    assert "failed" not in phone.signals
