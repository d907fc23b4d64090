"""Parts of the product, each deliberately weakened as it might have been built, so that a probe must see it.

Does not weaken anything by itself: `WEAKENINGS` has, for each probe and broker, what is put in the place of what.
A weakening takes `put(owner, name, value)`: monkeypatch's setattr in a test, Python's own in a program of its own
(`weak_program/sitecustomize.py`).
"""

import asyncio
import os
import ssl

from fault_lab.decoder_checks import AmiDecoder
from lab_parts.control_token import ControlToken
from phoneterm.core import messages
from phoneterm_bridge import assembly
from phoneterm_bridge.broker import mosquitto_config, reader, renewable_tls
from phoneterm_bridge.broker.access import BrokerAccess
from phoneterm_bridge.broker.doorkeeper import Doorkeeper
from phoneterm_bridge.broker.embedded import EmbeddedBroker
from phoneterm_bridge.cli import journal as journal_command
from phoneterm_bridge.cli import options, saying
from phoneterm_bridge.command import checks
from phoneterm_bridge.command.dispatcher import CommandDispatcher
from phoneterm_bridge.command.message_router import MessageRouter
from phoneterm_bridge.mqtt import wire_messages
from phoneterm_bridge.mqtt.budget import Budget
from phoneterm_bridge.pbx.voipnow import https_client
from phoneterm_bridge.settings.bridge import BrokerSettings
from phoneterm_bridge.store import journal_proof, passwords
from phoneterm_bridge.store.directory_proof import Derived
from phoneterm_bridge.store.journal import Journal, Recorded
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.store.store_file import StoreFile
from phoneterm_bridge.terminals.host_clock import HostClock
from phoneterm_bridge.terminals.line_watch import LineWatch
from phoneterm_bridge.terminals.replay_window import ReplayWindow
from phoneterm_bridge.terminals.sessions import Session, Sessions
from phoneterm_bridge.web import connection, door

EMBEDDED, MOSQUITTO, NEITHER = "embedded", "mosquitto", "-"


async def _yes(*_):
    return True


def let_everybody_in(put):
    """No password is wrong."""
    put(Doorkeeper, "admits", _yes)


def let_the_nameless_in(put):
    """mosquitto takes logins without a name."""
    lines = mosquitto_config._config_lines
    put(mosquitto_config, "_config_lines", lambda *given: [_allow_anonymous(line) for line in lines(*given)])


def _allow_anonymous(line):
    for strict, loose in (("allow_anonymous false", "allow_anonymous true"), ("use_username_as_clientid true", "")):
        line = line.replace(strict, loose)
    return line


def speak_in_the_clear(put):
    """Settings without TLS for other machines are all right."""
    put(BrokerSettings, "_half_tls", lambda self: iter(()))


def trust_every_broker(put):
    """The bridge takes any certificate."""
    put(assembly, "make_client_context", lambda settings: ssl._create_unverified_context())


def trust_every_voipnow(put):
    """The bridge gives its app's secret to any VoipNow."""
    put(https_client, "_make_context", lambda ca_path: ssl._create_unverified_context())


def ask_for_no_certificate(put):
    """The embedded broker forgets the CA of its clients."""
    make = renewable_tls.make_server_context
    put(renewable_tls, "make_server_context", lambda certificate, key, client_ca=None: make(certificate, key))


def keep_passwords(put):
    """Passwords are kept as they are."""
    put(passwords, "hash_password", str)
    put(passwords, "is_password", str.__eq__)


def believe_signatures(put):
    """Every signature is right."""
    put(messages, "_is_genuine", lambda *_: True)


def forget_locks(put):
    """No lock of "never late, never twice" is left."""
    live, receive = Sessions.live, MessageRouter.receive
    made_up = Session("", "", "", 0.0, 1e9)

    async def find_nothing(self, terminal, command_id):
        return None

    def ignore_retained(self, topic, payload, _, acknowledge):
        return receive(self, topic, payload, False, acknowledge)

    put(MessageRouter, "receive", ignore_retained)
    put(Session, "owns", lambda self, command_id: True)
    put(Sessions, "live", lambda self, tid: live(self, tid) or made_up)
    put(Session, "is_fresh", lambda self, since_ms, now_s: True)
    put(Journal, "remembered", lambda self, tid, command_id: None)
    put(Journal, "look_up", find_nothing)
    put(ReplayWindow, "admit", lambda self, number: True)
    put(checks, "choose_call", lambda calls, ref, first_key_s: calls[0] if calls else "no-call")


def allow_all_topics(put):
    """Every terminal may write and read everything at the embedded broker."""
    put(BrokerAccess, "allows", lambda self, username, action, topic: True)


def allow_all_topics_at_mosquitto(put):
    """The same at a mosquitto."""
    lines = mosquitto_config._access_lines
    put(mosquitto_config, "_access_lines", lambda broker: [*lines(broker), "pattern readwrite #"])


def expect_no_garbage(put):
    """What cannot be decoded is an exception that nobody has thought of."""
    decode = wire_messages.decode

    def decode_or_raise(kind, topic, key, payload):
        fields = decode(kind, topic, key, payload)
        if isinstance(fields, messages.Rejected) and fields.reason == "malformed":
            raise ValueError(fields.detail)
        return fields

    put(wire_messages, "decode", decode_or_raise)


def decode_strictly(put):
    """A decoder stumbles over what is not UTF-8."""
    feed = AmiDecoder.feed

    def feed_strictly(self, octets):
        octets.decode()
        return feed(self, octets)

    put(AmiDecoder, "feed", feed_strictly)


def journal_later(put):
    """A command is carried out before it is on the disk."""
    write = Journal.open

    async def write_later(self, terminal, fields, *given):
        journal = asyncio.create_task(_write_after(self, terminal, fields, *given))
        self.late = [*getattr(self, "late", ()), journal]
        return Recorded(0, fields["op"], fields["number"])

    async def _write_after(*given):
        await asyncio.sleep(60)
        await write(*given)

    put(Journal, "open", write_later)
    put(Journal, "append", lambda self, recorded, event: None)


def cut_off_the_latest_only(put):
    """Of a terminal's connections only the latest is ended, as by a list kept beside."""

    def kick_latest(self, tid):
        self._doorkeeper.forget(tid)
        for one in self._held.of(tid)[-1:]:
            one.abort()

    put(EmbeddedBroker, "kick", kick_latest)


def find_the_revoked(put):
    """A revoked terminal is found like any other."""
    find = LiveDirectory.find
    known = {}

    def find_ever(self, tid):
        known[tid] = find(self, tid) or known.get(tid)
        return known[tid]

    put(LiveDirectory, "find", find_ever)


def remember_old_passwords(put):
    """A password that was right once is right for ever."""
    admits, right = Doorkeeper.admits, set()

    async def admits_ever(self, username, password, *given):
        if await admits(self, username, password, *given):
            right.add((username, password))
        return (username, password) in right

    put(Doorkeeper, "admits", admits_ever)


def count_no_connections(put):
    """Nobody has too many connections."""
    put(EmbeddedBroker, "_count_beside", lambda self, held: 0)


def count_no_filters(put):
    """A terminal may subscribe to as many filters as it likes."""
    put(reader, "MOST_SUBSCRIBED", 10**9)


def wait_for_every_request(put):
    """However many requests are begun at the pages, each is waited for."""
    put(connection.TimedConnection, "most", 10**9)


def watch_no_lines(put):
    """Nobody notes that a client takes over from itself, or that two starts speak in turn."""
    put(LineWatch, "note_take_over", lambda self, tid: 0.0)
    put(LineWatch, "note_boot", lambda self, tid, boot: 0.0)


def budget_nothing(put):
    """Everybody may say as much as the wire takes, with QoS 2 as well."""
    put(Budget, "spend", lambda self, octets, messages=1: 0.0)
    put(reader, "judge_first", lambda first, size, most: None)
    put(reader, "MOST_UNDONE", 10**9)


def trust_the_steady_clock(put):
    """A pause of the host is not seen."""
    put(HostClock, "now_s", HostClock.steady_s)


def trust_the_wall_clock(put):
    """A command's age is counted by the wall clock."""
    put(HostClock, "now_s", lambda self: self._read().wall_s)


def look_at_no_file(put):
    """Nobody looks whether the store's file is still the same."""
    put(StoreFile, "look", lambda self: None)


def carry_out_what_is_not_journalled(put):
    """A command that cannot be written down is carried out all the same."""
    record = CommandDispatcher._record

    async def record_or_not(self, command, *given):
        recorded, reason = await record(self, command, *given)
        return (Recorded(0, command.op, command.number), None) if reason == "unavailable" else (recorded, reason)

    put(CommandDispatcher, "_record", record_or_not)


def compare_no_schema(put):
    """Views and triggers are not compared."""
    put(journal_proof, "find_schema_difference", lambda connection: None)


def follow_no_chain(put):
    """Entries and commands are not compared."""
    put(journal_proof, "_find_problem", lambda row, right, noted: None)


def derive_no_rights(put):
    """Rights are not compared with the changes."""
    put(Derived, "find_difference", lambda self, connection: None)


def ignore_noted_heads(put):
    """A head that was kept elsewhere is not looked for."""
    prove = journal_proof.prove
    put(journal_command, "prove", lambda engine, noted: prove(engine))


def believe_logname(put):
    """Who did it is whoever the environment names, and is shown as it is."""
    put(options, "name_user", lambda: os.environ["LOGNAME"])
    put(saying, "show", str)


def want_no_token(put):
    """The control sockets answer everybody."""
    put(ControlToken, "admits", _yes)


def know_every_name(put):
    """The pages answer to every name."""
    put(door, "is_known_host", lambda host, names: True)


# Probe -> broker -> (weakening, part of what is seen).
WEAKENINGS = {
    "stranger at the broker": {
        EMBEDDED: (let_everybody_in, "was let in"), MOSQUITTO: (let_the_nameless_in, "was let in"),
    },
    "eavesdropper": dict.fromkeys((EMBEDDED, MOSQUITTO), (speak_in_the_clear, "speaks in the clear")),
    "false broker": {NEITHER: (trust_every_broker, "to a broker with a certificate of another CA the bridge said")},
    "false VoipNow": {NEITHER: (trust_every_voipnow, "a certificate of another CA the bridge said")},
    "false terminal": {EMBEDDED: (ask_for_no_certificate, "a login without a certificate was let in")},
    "read secrets": dict.fromkeys((EMBEDDED, MOSQUITTO), (keep_passwords, "has a terminal's password")),
    "forged command": dict.fromkeys((EMBEDDED, MOSQUITTO), (believe_signatures, "the PBX was asked")),
    "replayed command": dict.fromkeys((EMBEDDED, MOSQUITTO), (forget_locks, "the PBX was asked 2")),
    "retained command": dict.fromkeys((EMBEDDED, MOSQUITTO), (forget_locks, "the PBX was asked")),
    "late command": dict.fromkeys((EMBEDDED, MOSQUITTO), (forget_locks, "the PBX was asked")),
    "foreign topic": {
        EMBEDDED: (allow_all_topics, "under the other's name"),
        MOSQUITTO: (allow_all_topics_at_mosquitto, "under the other's name"),
    },
    "fuzzed messages": dict.fromkeys((EMBEDDED, MOSQUITTO), (expect_no_garbage, "message-failed")),
    "fuzzed decoders": {NEITHER: (decode_strictly, "the decoder 'ami' raised UnicodeDecodeError")},
    "killed bridge": dict.fromkeys((EMBEDDED, MOSQUITTO), (journal_later, "the journal does not know the command")),
    "revoked terminal": {
        EMBEDDED: (cut_off_the_latest_only, "stays open"), MOSQUITTO: (find_the_revoked, "its command was carried out"),
    },
    "rotated secrets": {
        EMBEDDED: (remember_old_passwords, "the old password still opens the broker"),
        MOSQUITTO: (believe_signatures, "signed with the old key was carried out"),
    },
    "many connections": {EMBEDDED: (count_no_connections, "more than 5 connections")},
    "many filters": {EMBEDDED: (count_no_filters, "filters, and goes on")},
    "stolen copy": dict.fromkeys((EMBEDDED, MOSQUITTO), (watch_no_lines, "nobody is told")),
    "flood": {EMBEDDED: (budget_nothing, "the bridge has grown by")},
    "host standing still": dict.fromkeys((EMBEDDED, MOSQUITTO), (trust_the_steady_clock, "was carried out after it")),
    "wall clock set": dict.fromkeys((EMBEDDED, MOSQUITTO), (trust_the_wall_clock, "after it was set back")),
    "replaced store": dict.fromkeys((EMBEDDED, MOSQUITTO), (look_at_no_file, "after replace a transfer was")),
    "removed store": dict.fromkeys((EMBEDDED, MOSQUITTO), (look_at_no_file, "after remove a transfer was")),
    "unwritten store": dict.fromkeys(
        (EMBEDDED, MOSQUITTO), (carry_out_what_is_not_journalled, "a transfer that could not be journalled was")
    ),
    "journal: view": {NEITHER: (compare_no_schema, "a view that lies: journal verify says 'The journal is whole")},
    "journal: columns and rows": {NEITHER: (follow_no_chain, "journal verify says 'The journal is whole")},
    "journal: triggers": {NEITHER: (compare_no_schema, "DROP TRIGGER journal_no_update: journal verify says")},
    "journal: permissions": {NEITHER: (derive_no_rights, "UPDATE permissions")},
    "journal: cut end": {NEITHER: (ignore_noted_heads, "journal verify --since says")},
    "forged actor": {NEITHER: (believe_logname, "the list of changes has")},
    "web page: control sockets": {NEITHER: (want_no_token, "the phone answered")},
    "web page: health, metrics": dict.fromkeys((EMBEDDED, MOSQUITTO), (know_every_name, "answered 200 to the name")),
    "begun requests": {EMBEDDED: (wait_for_every_request, "/healthz answered 503")},
}  # fmt: skip
