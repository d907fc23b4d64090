"""The phone terminal: keys, time, link and messages in; actions out.

Does not touch pins, sockets or clocks. It joins the parts of the core: the link with its session (`link.py`),
permissions, config, feedback to the user (`feedback.py`) and the control of the call (`call_control.py`). Every `on_`
method returns the actions to carry out, in order, and the constant () when there are none. Time enters only through
`on_time`, which is called up to the time of each key before that key. Bad messages are counted and logged, and change
nothing. A config for which there is too little memory is kept and tried again later. Times are milliseconds.
"""

from collections import namedtuple

from phoneterm.core import actions, backoff, call_control, feedback, link, messages, permissions

# tid and base as in the topics; key: bytes, for the signatures; boot: hex, new at each boot; fw, board: text;
# crash: how the previous run crashed, None when it did not.
Identity = namedtuple("Identity", "tid base key boot fw board crash")

_AGAIN_MS = (2000, 300000)  # how long to wait before a config is tried again: at first, at most
_SHORT = messages.Rejected("memory", "the memory is too short to read it")


class Terminal:
    """One terminal. `keymap` and `roles` are the board's; the bridge may give the roles to other keys.

    `read_config` is core.config.read_config, or a function that loads and calls it; MemoryError when there is no room.
    """

    def __init__(self, identity, keymap, roles, read_config):
        self._identity = identity
        self._keymap = keymap
        self._roles = roles
        self._read_config = read_config
        self._config = self._config_of({})
        if isinstance(self._config, messages.Rejected):
            raise ValueError(self._config.detail)
        self._permissions = permissions.Permissions()
        self._link = link.Link(identity)
        self._feedback = feedback.Feedback()
        self._call_control = call_control.CallControl(self._link, self._permissions, self._feedback, self._config)
        self._waiting_config = self._config_error = None
        self._config_in_ms = 0
        self._config_backoff = backoff.Backoff(*_AGAIN_MS)
        self._last_request = None
        self._faulty_keys = self._refusals_told = 0
        self._uptime_ms = 0  # of a second that is not over
        self._keys = self._links = self._refused = self._dropped = 0

    @property
    def is_sequence_open(self):
        """Say whether a sequence is open: no time for garbage collection or flash writes."""
        return self._call_control.is_sequence_open

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
        self._call_control.now_s += self._uptime_ms // 1000
        self._uptime_ms %= 1000
        done = self._call_control.on_time(elapsed_ms)
        is_hello_due = self._link.on_time(elapsed_ms)
        if self.is_sequence_open:
            return done
        if is_hello_due:
            done += (self._link.hello(),)
        if self._waiting_config is not None:
            self._config_in_ms -= elapsed_ms
            if self._config_in_ms <= 0:
                done += self._put_in_force(self._waiting_config)
        count, at_s, reason, op = self._call_control.refusal
        ago_s = self._call_control.now_s - at_s
        if count == self._refusals_told or ago_s < 1 or self._link.session is None or self._link.session_ms < 1000:
            return done  # there is most room a second later, and not when a session has just begun
        self._refusals_told = count  # a new session has it repeated
        fields = {"boot": self._identity.boot, "count": count, "ago_s": ago_s, "reason": reason, "op": op}
        return done + (self._link.publish(messages.REFUSAL, fields),)

    def on_key(self, index, is_pressed):
        """Follow a key: index 0 to 15, pressed or released."""
        if not is_pressed:
            return self._call_control.on_release()
        self._keys += 1
        return self._call_control.on_press(self._keymap.legend(index))

    def on_stall(self):
        """Note that the keypad was not looked at for so long that a key may have been missed."""
        return self._call_control.on_stall()

    def on_keypad_fault(self, index, is_faulty):
        """Note that a key is masked because it is stuck, or works again."""
        bit = 1 << index
        self._faulty_keys = self._faulty_keys | bit if is_faulty else self._faulty_keys & ~bit
        log = actions.Log("keypad", "key %d %s" % (index, "is stuck" if is_faulty else "works again"))
        return self._call_control.on_keypad_fault(self._faulty_keys != 0) + (log,)

    def on_hook(self, is_off_hook):
        """Follow the hook: hanging up ends an open sequence without a sound."""
        return () if is_off_hook else self._call_control.on_hang_up()

    def on_link(self, is_up):
        """Note that the link is up (connected and subscribed) or lost."""
        self._link.on_link(is_up)
        if not is_up:
            return self._call_control.on_link(False)
        self._links += 1
        return (self._link.state("online"), self._link.hello()) + self._call_control.on_link(True)

    def find_cause(self):
        """Return what keeps the link from a transfer: one of core.causes, 0 for nothing, None when it is not known."""
        return self._link.find_cause()

    def on_cause(self, lines):
        """Note the two lines that say why there is no link, or None."""
        return self._feedback.explain(lines)

    def on_message(self, topic, payload):
        """Act on a message from the broker: topic as text, payload as bytes."""
        place = messages.parse_topic(self._identity.base, topic)
        act = self._ACTS.get(place[1]) if place and place[0] in (None, self._identity.tid) else None
        if act is None:
            self._dropped += 1
            return ()
        kind = place[1]
        if not payload and kind in (messages.PERMISSIONS, messages.CONFIG):
            return act(self, {})
        document = messages.decode(kind, topic, self._identity.key, payload)
        if isinstance(document, messages.Rejected):
            return self._refuse(kind, document)
        return act(self, document)

    def on_published(self, ref, is_acknowledged):
        """Note whether the broker acknowledged a command."""
        return () if is_acknowledged else self._call_control.on_undelivered(ref)

    def counters(self):
        """Return what the terminal counts, as fields of the telemetry."""
        control, stuck = self._call_control, bin(self._faulty_keys).count("1")
        return {"uptime_s": control.now_s, "keys": self._keys, "stuck": stuck, "tainted": control.tainted,
                "reconnects": max(self._links - 1, 0), "refused": self._refused, "dropped": self._dropped}  # fmt: skip

    def telemetry(self, fields):
        """Return the telemetry Publish: the counters and the device's own fields. The app sends it every 60 s."""
        for name, count in self.counters().items():
            fields.setdefault(name, count)
        return self._link.publish(messages.TELEMETRY, fields)

    def _refuse(self, kind, rejected):
        self._refused += 1
        done = (actions.Log("refused", "%s: %s" % (kind, rejected.detail)),)
        if kind in (messages.PERMISSIONS, messages.CONFIG) and rejected.reason != "bad-signature":
            done += self._acknowledge(rejected.detail)
        return done

    def _acknowledge(self, error):
        """Tell the bridge what is in force and what was wrong, if there is a link."""
        if not self._link.is_up:
            return ()
        error = error or self._config_error
        fields = {"permissions": max(self._permissions.revision, 0), "config": max(self._config.revision, 0),
                  "error": error and error[:120]}  # fmt: skip
        return (self._link.publish(messages.ACK, fields),)

    def _begin_session(self, document):
        had_session = self._link.session is not None
        if not self._link.begin_session(document):
            self._dropped += 1
            return ()
        self._refusals_told = 0
        return self._call_control.on_session(had_session)

    def _apply_permissions(self, document):
        before = self._permissions.document
        if not document:
            self._permissions.revoke()
        elif not self._permissions.replace(document):
            self._dropped += 1
        done = ()
        if self._permissions.document != before:
            done = (actions.Log("permissions", str(self._permissions)),)
        return done + self._acknowledge(None)

    def _apply_config(self, document):
        if document and document["rev"] <= self._config.revision:
            self._dropped += document["rev"] < self._config.revision
            return self._acknowledge(None)
        if not self.is_sequence_open:
            return self._put_in_force(document)
        self._waiting_config = document
        self._config_in_ms = 0
        return ()

    def _put_in_force(self, document):
        self._waiting_config = None
        config = self._config_of(document)
        if isinstance(config, messages.Rejected):
            if config is _SHORT:
                self._waiting_config = document
                self._config_in_ms = self._config_backoff.next_ms(0)
            self._config_error = config.detail
            return (actions.Log("config", config.detail),) + self._acknowledge(None)
        self._config_error = None
        self._config_backoff.reset()
        self._config = config
        self._call_control.configure(config)
        return self._acknowledge(None)

    def _config_of(self, document):
        """Return the Config of a document ({}: the defaults) or Rejected (_SHORT: it may work later)."""
        try:
            return self._read_config(document, self._roles)
        except MemoryError:
            return _SHORT

    def _follow_call(self, document):
        return (actions.Log("call", document["state"]),) + self._call_control.on_call(document)

    def _report_result(self, document):
        done = self._call_control.on_result(document)
        if not done:
            self._dropped += 1
        elif document["reason"] == "bad-session":
            done += (self._link.hello(),)
        return done

    def _carry_out_request(self, document):
        if document["id"] == self._last_request or document["boot"] != self._identity.boot:
            self._dropped += 1
            return ()
        self._last_request = document["id"]
        op = document["op"]
        if op == "identify":
            return self._feedback.announce("identify", "This is", self._identity.tid)
        if op in ("reboot", "wipe"):
            return (self._link.state("offline"), actions.Restart(op))
        return (actions.Log("request", op + " is not supported by this firmware"),)

    def _follow_bridge(self, document):
        state = document["state"]
        greeting = (self._link.hello(),) if self._link.on_bridge_state(state) else ()
        return greeting + self._call_control.on_bridge_state(state)

    _ACTS = {
        messages.SESSION: _begin_session,
        messages.PERMISSIONS: _apply_permissions,
        messages.CONFIG: _apply_config,
        messages.CALL: _follow_call,
        messages.RESULT: _report_result,
        messages.REQUEST: _carry_out_request,
        messages.BRIDGE_STATE: _follow_bridge,
    }
