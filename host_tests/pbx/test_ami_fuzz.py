"""A PBX that speaks AMI badly: nothing is lost, nothing unintended happens, and memory stays bounded."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from pbx.test_ami_client import connected
from phoneterm.core.messages import FINAL_STATES
from phoneterm_bridge.pbx.ami.codec import MAX_LINE_BYTES, MAX_MESSAGE_BYTES, Decoder, Message, encode
from phoneterm_bridge.pbx.asterisk.features import Codes
from phoneterm_bridge.pbx.asterisk.view import CallView
from phoneterm_bridge.wording.why import REASONS

END = b"\r\n\r\n"
MEGABYTE = 1024 * 1024

# Parts of a broken PBX's messages. None contains an ActionID, so none answers anything.
_BROKEN_LINES = st.one_of(
    st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"").replace(b"ActionID", b"")),
    st.sampled_from(
        [
            b"", b"\r", b"\0", b"\r\r", b":", b": ", b"Event", b"Event:", b"Event: Hangup\0", b"Event: A\rEvent: B",
            b"Event: X", b"Event: Y", b"Response: Success", b"Response: Error", b"EventList: Complete",
            b"Key: " + b"v" * MAX_LINE_BYTES, b"x" * MEGABYTE, b"CallerIDName: M\xfcller \xff\xfe", b"\xc3",
        ]
    ),
)  # fmt: skip
_BROKEN = st.lists(_BROKEN_LINES, max_size=6).map(lambda lines: b"\r\n".join(lines) + END)
_STREAM = st.lists(st.one_of(_BROKEN, st.integers(0, 10**6)), max_size=12)


def _is_whole(message):
    return [key for key, _ in message.pairs] == ["Whole", "Number"]


def _cut(data, sizes):
    """Return the data in pieces of these sizes, over and over."""
    pieces, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        pieces.append(data[at : at + size])
        at, turn = at + size, turn + 1
    return pieces


@settings(max_examples=60)
@given(_STREAM, st.lists(st.integers(1, 70000), min_size=1, max_size=4))
def test_whole_messages_between_broken_ones_all_arrive_in_their_order(parts, sizes):
    data, numbers = b"", []
    for part in parts:
        if isinstance(part, int):
            numbers.append(str(part))
            part = encode([("Whole", "yes"), ("Number", str(part))])
        data += part
    sizes = [max(size, len(data) // 200) for size in sizes]
    decoder, found = Decoder(), []
    for piece in _cut(data, sizes):
        found += decoder.feed(piece)
        assert decoder.line_bytes <= MAX_LINE_BYTES
        assert decoder.message_chars <= MAX_MESSAGE_BYTES
    assert [message.get("Number") for message in found if _is_whole(message)] == numbers


@settings(max_examples=30)
@given(st.lists(_BROKEN, min_size=1, max_size=3))
def test_every_action_gets_its_own_answer_whatever_the_pbx_says_in_between(broken):
    async def ask_between():
        async with connected() as (server, client, _):
            server.answers["Ask"] = lambda action_id: b"".join(
                [*broken, encode([("Response", "Success"), ("ActionID", action_id), ("Is", action_id)]), *broken]
            )
            answers = await asyncio.gather(*(client.ask("Ask") for _ in range(3)))
            assert len({answer.get("Is") for answer in answers}) == 3
            assert server.actions.count("Ask") == 3
            assert server.logins == 1

    asyncio.run(ask_between())


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["Response", "ActionID", "Event", "EventList"]), min_size=1, max_size=8), st.data())
def test_headers_that_come_twice_never_answer_twice(keys, data):
    values = st.sampled_from(["1", "2", "3", "4", "Success", "Error", "Complete", "start", ""])
    pairs = [(key, data.draw(values)) for key in keys]

    async def answer_so():
        async with connected() as (server, client, _):
            server.answers["Ask"] = lambda action_id: (
                encode(pairs) + encode([("Response", "Success"), ("ActionID", action_id)]) + encode(pairs)
            )
            answer = await client.ask("Ask")
            assert answer.has("Response") or answer.get("EventList") == "Complete"
            assert (await client.ask("Ask")).has("ActionID")

    asyncio.run(answer_so())


_TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["PJSIP/101-00000001", "PJSIP/102-00000002", "Local/102@internal-00000000;1", "1.1", "1.2", "1.3", "b1", "b2",
         "Up", "Ringing", "BUSY", "ANSWER", "16", "17", "Success", "<unknown>", ""]
    ),
)  # fmt: skip
_EVENTS = st.sampled_from(
    ["Newchannel", "Newstate", "Hold", "Unhold", "BridgeEnter", "BridgeLeave", "DialBegin", "DialEnd", "HangupRequest",
     "Hangup", "AttendedTransfer", "BlindTransfer", "Rename", "NewConnectedLine", "Nonsense"]
)  # fmt: skip
_HEADERS = st.dictionaries(
    st.sampled_from(
        ["Uniqueid", "Channel", "Linkedid", "ChannelStateDesc", "BridgeUniqueid", "DestUniqueid", "DestChannel",
         "DialStatus", "Cause", "CallerIDNum", "ConnectedLineNum", "Newname", "OrigTransfererUniqueid", "Result",
         "DestBridgeUniqueid", "BridgeId", "Application"]
    ),
    _TEXT,
)  # fmt: skip


class Told:
    """A listener that remembers its calls."""

    def __init__(self):
        self.progress = []

    def on_calls_changed(self, endpoint):
        assert endpoint

    def on_progress(self, ref, state, reason):
        self.progress.append((ref, state, reason))

    def on_arrival(self, ref, word, reason):
        assert reason is None or reason in REASONS

    def on_availability(self, is_available):
        pass


@given(st.lists(st.tuples(_EVENTS, _HEADERS), max_size=30), st.lists(_HEADERS, max_size=4))
def test_no_event_and_no_list_of_channels_breaks_the_view_of_the_calls(events, channels):
    view, told = CallView(lambda: 1.0, *(4 * [lambda *_: None])), Told()
    view.listener = told
    view.begin_load()
    half = len(events) // 2
    for name, headers in events[:half]:
        view.apply(Message([("Event", name), *headers.items()]))
    view.load([Message(list(item.items())) for item in channels], Codes())
    for leg in view.table.everybody():
        if view.running(leg) is None:
            view.begin(leg, "Local/102@internal-").release()
            view.send(leg)
    for name, headers in events[half:]:
        view.apply(Message([("Event", name), *headers.items()]))
    view.tell_changes()
    states = {state for _, state, _ in told.progress}
    assert states <= {"ringing", "consulting", *FINAL_STATES}
    assert {reason for _, _, reason in told.progress} <= {None, *REASONS}
