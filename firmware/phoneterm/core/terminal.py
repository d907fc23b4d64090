"""The phone terminal: keys, time, link and messages in; actions out.

Does not touch pins, sockets or clocks. It joins the rooms of the core: the link with its session (`link.py`),
permissions, config, and the transfers (`call_control.py`). Every `on_` method returns the actions to carry out, in
order, and the constant () when there are none. Time enters through `on_time` alone, told up to each key before that
key. Messages that are not right are counted and logged, and change nothing. Times are milliseconds.
The code that reads a config is loaded for each one, in two pieces, and forgotten again, because it is a tenth of the
core's memory. A config for which the memory is too short all the same is kept and tried again later.
"""

import sys
from collections import namedtuple

from phoneterm.core import actions, backoff, call_control, digit_map, keymap, link, messages, permissions

# tid and base as in the topics; key: bytes, of the signatures; boot: hex, another at each boot; fw, board: text;
# crash: how the run before this boot crashed, None when it did not.
Identity = namedtuple("Identity", "tid base key boot fw board crash")

_AGAIN_MS = (2000, 300000)  # how long to wait before a config is tried again: at first, at most
_READERS = (  # the code that reads a config: its modules, whole and as names of their package
    ("phoneterm.core.config", "config"),
    ("phoneterm.core.digit_map_proof", "digit_map_proof"),
    ("phoneterm.core.digit_map_text", "digit_map_text"),
)
_STARTING_S = 15  # without a session by then, it is not starting any more: there is no link


class Terminal:
    """One terminal. `keymap` and `roles` are the board's; the bridge may give the roles to other keys."""

    def __init__(self, identity, keymap, roles):
        self._identity = identity
        self._keymap = keymap
        self._roles = roles
        self._config = _read_config({}, roles)
        if isinstance(self._config, messages.Rejected):
            raise ValueError(self._config.detail)
        self._permissions = permissions.Permissions()
        self._link = link.Link(identity)
        self._out = []
        self._call_control = call_control.CallControl(self._link, self._permissions, self._config, self._out)
        self._waiting_config = self._config_error = None
        self._config_in_ms = 0
        self._config_backoff = backoff.Backoff(*_AGAIN_MS)
        self._last_request = None
        self._faulty_keys = 0
        self._uptime_s = self._uptime_ms = 0
        self._keys = self._links = self._refused = self._dropped = 0

    @property
    def is_sequence_open(self):
        """Say whether a sequence is open: no time for garbage collection or flash writes."""
        return self._call_control.collector.is_open

    @property
    def country(self):
        """Return the country whose tones to use."""
        return self._config.country

    def will(self):
        """Return (topic, payload) of the last will: QoS 1, retained."""
        return self._link.state("offline")[:2]

    def on_time(self, elapsed_ms):
        """Let time pass since the last call."""
        self._uptime_ms += elapsed_ms
        self._uptime_s += self._uptime_ms // 1000
        self._uptime_ms %= 1000
        control = self._call_control
        control.on_time(elapsed_ms)
        is_hello_due = self._link.on_time(elapsed_ms)
        if not control.collector.is_open:
            if is_hello_due:
                self._out.append(self._link.hello())
            if self._waiting_config is not None:
                self._config_in_ms -= elapsed_ms
                if self._config_in_ms <= 0:
                    self._put_config(self._waiting_config)
        if control.is_starting and (self._uptime_s >= _STARTING_S or self._link.session is not None):
            control.is_starting = False
            control.settle()
        elif control.feedback.standing is None:
            control.settle()
        return self._done()

    def on_key(self, index, is_pressed):
        """Take a key: index 0 to 15, pressed or released."""
        if is_pressed:
            self._keys += 1
            self._call_control.on_press(self._keymap.legend(index))
        else:
            self._call_control.collector.on_release()
        return self._done()

    def on_stall(self):
        """Take that nobody looked at the keypad for so long that a key may have been missed."""
        self._call_control.on_stall()
        return self._done()

    def on_keypad_fault(self, index, is_faulty):
        """Take that a key is masked because it is stuck, or works again."""
        bit = 1 << index
        self._faulty_keys = self._faulty_keys | bit if is_faulty else self._faulty_keys & ~bit
        self._call_control.is_keypad_faulty = self._faulty_keys != 0
        self._call_control.settle()
        self._out.append(actions.Log("keypad", "key %d %s" % (index, "is stuck" if is_faulty else "works again")))
        return self._done()

    def on_hook(self, is_off_hook):
        """Take the hook: hanging up ends an open sequence without a sound."""
        if not is_off_hook:
            self._call_control.close_silently()
        return self._done()

    def on_link(self, is_up):
        """Take that the link is up (connected and subscribed) or lost."""
        link = self._link
        link.is_up = is_up
        if is_up:
            self._links += 1
            self._out.append(link.state("online"))
            self._out.append(link.hello())
        else:
            self._call_control.is_starting = False
            link.bridge_state = None
            self._lose_session()
        return self._done()

    def on_memory_short(self):
        """Take that the link was given up because there is too little memory for it; nobody keyed, so no sound."""
        self._call_control.feedback.tell(None, "Short of memory", "")
        return self._done()

    def on_message(self, topic, payload):
        """Take a message from the broker: topic as text, payload as bytes."""
        place = messages.parse_topic(self._identity.base, topic)
        reader = self._READERS.get(place[1]) if place and place[0] in (None, self._identity.tid) else None
        if reader is None:
            self._dropped += 1
            return self._done()
        kind = place[1]
        if not payload and kind in (messages.PERMISSIONS, messages.CONFIG):
            reader(self, {})
            return self._done()
        document = messages.decode(kind, topic, self._identity.key, payload)
        if isinstance(document, messages.Rejected):
            self._refuse(kind, document)
        else:
            reader(self, document)
        return self._done()

    def on_published(self, ref, is_acknowledged):
        """Take how the publishing of a command ended."""
        if not is_acknowledged:
            self._call_control.on_undelivered(ref)
        return self._done()

    def counters(self):
        """Return what the terminal counts, as fields of the telemetry."""
        stuck = bin(self._faulty_keys).count("1")
        return {"uptime_s": self._uptime_s, "keys": self._keys, "stuck": stuck, "tainted": self._call_control.tainted,
                "reconnects": max(self._links - 1, 0), "refused": self._refused, "dropped": self._dropped}  # fmt: skip

    def telemetry(self, fields):
        """Return the telemetry Publish: the counters and the device's own fields. The app sends it every 60 s."""
        return self._link.publish(messages.TELEMETRY, dict(self.counters(), **fields))

    def _done(self):
        if not self._out:
            return ()
        actions = tuple(self._out)
        self._out.clear()
        return actions

    def _refuse(self, kind, rejected):
        self._refused += 1
        self._out.append(actions.Log("refused", "%s: %s" % (kind, rejected.detail)))
        if kind in (messages.PERMISSIONS, messages.CONFIG) and rejected.reason != "bad-signature":
            self._acknowledge(rejected.detail)

    def _acknowledge(self, error):
        error = error or self._config_error
        if self._link.is_up:
            fields = {"permissions": max(self._permissions.revision, 0), "config": max(self._config.revision, 0),
                      "error": error and error[:120]}  # fmt: skip
            self._out.append(self._link.publish(messages.ACK, fields))

    def _take_session(self, document):
        had_session = self._link.session is not None
        if not self._link.begin_session(document):
            self._dropped += 1
            return
        if had_session:
            self._call_control.lose_session("bad-session")
        self._call_control.is_starting = False
        self._call_control.settle()

    def _lose_session(self):
        self._link.session = None
        self._call_control.lose_session("no-link")
        self._call_control.call.move("link-lost")
        self._call_control.call.ref = None
        self._call_control.settle()

    def _take_permissions(self, document):
        before = self._permissions.document
        if not document:
            self._permissions.revoke()
        elif not self._permissions.replace(document):
            self._dropped += 1
        if self._permissions.document != before:
            self._out.append(actions.Log("permissions", str(self._permissions)))
        self._acknowledge(None)

    def _take_config(self, document):
        if document and document["rev"] <= self._config.revision:
            self._dropped += document["rev"] < self._config.revision
            self._acknowledge(None)
            return
        if self._call_control.collector.is_open:
            self._waiting_config = document
            self._config_in_ms = 0
        else:
            self._put_config(document)

    def _put_config(self, document):
        self._waiting_config = None
        config = _read_config(document, self._roles)
        if isinstance(config, messages.Rejected):
            if config.reason == "memory":
                self._waiting_config = document
                self._config_in_ms = self._config_backoff.next_ms(0)
            self._config_error = config.detail
            self._out.append(actions.Log("config", config.detail))
            self._acknowledge(None)
            return
        self._config_error = None
        self._config_backoff.reset()
        self._config = config
        self._call_control.configure(config)
        self._acknowledge(None)

    def _take_call(self, document):
        self._out.append(actions.Log("call", document["state"]))
        self._call_control.on_call(document)

    def _take_result(self, document):
        if not self._call_control.on_result(document):
            self._dropped += 1
        elif document["reason"] == "bad-session":
            self._out.append(self._link.hello())

    def _take_request(self, document):
        if document["id"] == self._last_request or document["boot"] != self._identity.boot:
            self._dropped += 1
            return
        self._last_request = document["id"]
        op = document["op"]
        if op == "identify":
            self._call_control.feedback.tell("identify", "This is", self._identity.tid)
        elif op in ("reboot", "wipe"):
            self._out.append(self._link.state("offline"))
            self._out.append(actions.Restart(op))
        else:
            self._out.append(actions.Log("request", op + " is not supported by this firmware"))

    def _take_bridge_state(self, document):
        state = document["state"]
        before = self._link.bridge_state
        self._link.bridge_state = state
        if state == "offline":
            self._lose_session()
        elif state == "degraded":
            self._call_control.interrupt("no-link")
        elif before == "offline" and self._link.is_up:
            self._out.append(self._link.hello())
        self._call_control.settle()

    _READERS = {
        messages.SESSION: _take_session,
        messages.PERMISSIONS: _take_permissions,
        messages.CONFIG: _take_config,
        messages.CALL: _take_call,
        messages.RESULT: _take_result,
        messages.REQUEST: _take_request,
        messages.BRIDGE_STATE: _take_bridge_state,
    }


def _read_config(document, roles):
    """Return the Config of a document ({}: the defaults) or Rejected ("memory": it may do later on)."""
    try:
        compiled = digit_map.compile_document(document, keymap.roles_of(document, roles))
        _forget_readers()
        from phoneterm.core import config

        return config.read_config(document, roles, compiled)
    except MemoryError:
        return messages.Rejected("memory", "the memory is too short to read it")
    finally:
        _forget_readers()


def _forget_readers():
    """Let go of the code that reads a config, without taking memory for that."""
    core = sys.modules["phoneterm.core"]
    for module, name in _READERS:
        sys.modules.pop(module, None)
        if hasattr(core, name):
            delattr(core, name)
