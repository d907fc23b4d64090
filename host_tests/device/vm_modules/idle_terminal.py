"""Prints how much memory idle ticks take, in each state in which a terminal waits. Runs in the VM."""

import gc

from phoneterm.core import messages
from phoneterm.core.config import read_config
from phoneterm.core.keymap import STANDARD_ROLES, Keymap
from phoneterm.core.terminal import Identity, Terminal

_TICKS = 100
_TICK_MS = 20
_IDENTITY = Identity("desk-1", "phoneterm", b"k" * 32, "9f3c21aa", "0.1.0", "VIRTUAL", None)


def receive(terminal, kind, **fields):
    """Deliver a message of the bridge."""
    topic = messages.topic_of("phoneterm", "desk-1", kind)
    terminal.on_message(topic, messages.encode(kind, topic, _IDENTITY.key, fields))


def cost_of_ticks(terminal):
    """Return the bytes that ticks take, including releases of a key."""
    before = gc.mem_alloc()
    for _ in range(_TICKS):
        terminal.on_time(_TICK_MS)
        terminal.on_key(0, False)
    return gc.mem_alloc() - before


def tell(state, terminal):
    """Print the bytes that ticks take in a state, once the state's own changes are over."""
    terminal.on_time(6000)  # messages on the display end
    gc.collect()
    print(state, cost_of_ticks(terminal))


terminal = Terminal(_IDENTITY, Keymap(), STANDARD_ROLES, read_config)
gc.disable()
terminal.on_time(1)
cost_of_ticks(terminal)  # a name that is new costs memory
tell("starting", terminal)
terminal.on_link(False)
tell("no-link", terminal)
terminal.on_link(True)
receive(terminal, messages.SESSION, boot="9f3c21aa", session="7d20", ttl_ms=8000)
tell("ready", terminal)
receive(terminal, messages.PERMISSIONS, rev=1, multi_user_aware=True, blind=True, attended=True, classes=["internal"])
receive(terminal, messages.CALL, state="talking", call="c1")
tell("talking", terminal)
for index in (14, 0):  # a code
    terminal.on_key(index, True)
gc.collect()
print("open", cost_of_ticks(terminal))
terminal.on_hook(False)
receive(terminal, messages.CALL, state="consulting", call="c1")
tell("consulting", terminal)
