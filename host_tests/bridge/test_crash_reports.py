"""A terminal's reports of crashes and safe mode reach the bridge's log once, and safe mode gets no session."""

import structlog
from phoneterm.core import messages

HELLO = {"boot": "b001", "fw": "1.0", "board": "VIRTUAL", "wire": [1, 1], "caps": []}


def events(logged, *names):
    """Return the named log events with their reasons."""
    return [
        (line["event"], line.get("crash") or line.get("reason"), line["boot"])
        for line in logged
        if line["event"] in names
    ]


async def test_a_crash_is_logged_once_for_each_start_and_counted(scene):
    terminal = await scene.terminal()
    with structlog.testing.capture_logs() as logged:
        for boot, crash in (("b001", "watchdog scan"), ("b001", "watchdog scan"), ("b002", None), ("b003", "panic")):
            await terminal.send(messages.HELLO, HELLO | {"boot": boot, "crash": crash})
    assert events(logged, "terminal-crashed") == [
        ("terminal-crashed", "watchdog scan", "b001"),
        ("terminal-crashed", "panic", "b003"),
    ]
    assert scene.bridge.parts.updates.crash_reports.crashes == 2
    assert len(terminal.heard(messages.SESSION)) == 4


async def test_safe_mode_is_logged_gets_no_session_and_ends_the_one_there_was(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    before = len(terminal.wire.published)
    safe = HELLO | {"boot": "b002", "safe": "3 crashes", "crash": "OSError at app:1 in run"}
    with structlog.testing.capture_logs() as logged:
        await terminal.send(messages.HELLO, safe)
        await terminal.send(messages.HELLO, safe)
    assert events(logged, "terminal-crashed", "terminal-in-safe-mode", "hello") == [
        ("terminal-crashed", "OSError at app:1 in run", "b002"),
        ("terminal-in-safe-mode", "3 crashes", "b002"),
    ]
    assert len(terminal.wire.published) == before
    assert scene.bridge.parts.updates.crash_reports.in_safe_mode == {"phone-101": "b002"}
    assert await terminal.ask() == ("rejected", "bad-session")
    terminal.boot = "b003"
    await terminal.hello()
    assert scene.bridge.parts.updates.crash_reports.in_safe_mode == {}


async def test_a_crash_report_that_is_not_right_is_refused(scene):
    terminal = await scene.terminal()
    topic = terminal.topic(messages.HELLO)
    fields = HELLO | {"crash": "x" * 120}
    payload = messages.encode(messages.HELLO, topic, terminal.key, fields)
    await scene.link.send(topic, payload.replace(b"x" * 120, b"x" * 121))
    for crash in ("x" * 121, "two\nlines", "\u00e9", ""):
        text = payload.partition(b"\n")[0].decode().replace("x" * 120, crash.replace("\n", "\\n"))
        signature = messages.mac.sign(terminal.key, f"{topic}\n{text}".encode())
        await scene.link.send(topic, f"{text}\n{signature}".encode())
    assert scene.bridge.parts.router.refused == {"bad-signature": 1, "malformed": 4}
    assert scene.bridge.parts.updates.crash_reports.crashes == 0
