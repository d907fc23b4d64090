"""What can be dialled at the simulated PBX when it has a FreePBX dialplan: the same as in the lab's config/freepbx.

Does not dial. Of a number's lines only those are listed that say what it is; Gosubs before them are left out.
"""

from typing import NamedTuple

from pbx_lab.lab import PHONE_CONTEXTS, TRANSFER_CONTEXTS, TRUNK

PHONES, TRANSFERS = PHONE_CONTEXTS["freepbx"], TRANSFER_CONTEXTS["freepbx"]
QUEUE = "400"  # answers at once, and then calls its member through a Local channel that stays
QUEUE_MEMBER = "101"
FROM_QUEUE = "from-queue"
PARK, FETCH = "170", "171"  # parks whoever comes, and fetches the parked one


class Entry(NamedTuple):
    """One extension of the dialplan: its context, its first lines, and the endpoints that it rings."""

    context: str
    extension: str
    lines: tuple[tuple[str, str], ...]
    phones: tuple[str, ...] = ()


_ENTRIES = (
    Entry("app-chanspy", "555", (("Answer", ""), ("ChanSpy", "PJSIP/${SPYNUM},q"))),
    Entry("app-zapbarge", "888", (("Answer", ""), ("ChanSpy", "PJSIP,qB"))),
    Entry("app-vmmain", "*97", (("Answer", ""), ("VoiceMailMain", "102@default"))),
    Entry("app-vmmain", "197", (("Goto", "app-vmmain,*97,1"),)),
    Entry("app-miscapps", "333", (("Goto", "disa,1,1"),)),
    Entry("ext-test", "7777", (("Goto", "from-pstn,4930101,1"),)),
    Entry("ext-queues", QUEUE, (("Answer", ""), ("Queue", "400,t"))),
    Entry("app-parking", PARK, (("Park", ""),)),
    Entry("app-parking", FETCH, (("ParkedCall", "default,171"),)),
    Entry("ext-group", "600", (("Dial", "PJSIP/101&PJSIP/105,20,${DIAL_OPTIONS}"),), ("101", "105")),
    *(
        Entry("ext-local", one, (("Gosub", f"macro-exten-vm,s,1(novm,{one})"),), (one,))
        for one in ("101", "102", "103")
    ),
    Entry("ext-local", "*102", (("Gosub", "macro-vm,s,1(102)"),)),
    Entry("app-pickup", "*8", (("Pickup", ""),)),
    Entry("from-internal-custom", "9801", (("Goto", "timeconditions,1,1"),)),
    Entry(
        "timeconditions",
        "1",
        (("GotoIfTime", "22:00-6:00,*,*,*?app-chanspy,555,1"), ("Goto", "from-did-direct,101,1")),
    ),
    Entry("from-internal-custom", "9802", (("Dial", "Local/555@from-internal/n,20,${DIAL_OPTIONS}"),)),
    Entry(
        "from-internal-custom",
        "9803",
        (
            ("Dial", "PJSIP/101&Local/0301234@from-internal/n,20,${DIAL_OPTIONS}"),
            ("Goto", "from-internal,0301234,1"),
        ),
    ),
    Entry("from-internal-custom", "9804", (("Dial", "PJSIP/trunk/sip:0301234@127.0.0.1,20,${DIAL_OPTIONS}"),)),
    Entry("from-internal-custom", "9805", (("ExecIf", '$["${DB(SPY/on)}" = "YES"]?ChanSpy(PJSIP/101,q)'),)),
    Entry("from-internal-custom", "9806", (("Goto", "outrt-1,0301234,1"),)),
    Entry("disa", "1", (("Answer", ""), ("DISA", "no-password,from-internal"))),
)
_ROUTE = Entry(
    "outrt-1", "_0X.", (("Gosub", "macro-dialout-trunk,s,1(1,${EXTEN},,off)"), ("Congestion", "10")), (TRUNK,)
)
_WIDE = _ROUTE._replace(context="outrt-2", extension="_X.")
_BAD = Entry("bad-number", "_X.", (("Progress", ""), ("Playback", "silence/1&cannot-complete-as-dialed,noanswer")))
_FORWARDING = Entry("app-cf-on", "_*72.", (("Set", "DB(CF/101)=${EXTEN:3}"), ("Hangup", "")))
_PREFIX = Entry("from-internal-custom", "_981X.", (("Goto", "outbound-allroutes,${EXTEN:3},1"),))
_OWN_CONTEXT_ONLY = ("disa", "timeconditions")
_WITH_ROUTES = (PHONES, TRANSFERS, "outbound-allroutes", "outrt-1")
CONTEXTS = frozenset({*_WITH_ROUTES, *(one.context for one in _ENTRIES)})


def find_entries(context: str, number: str, has_wide_route: bool) -> list[Entry]:
    """Return the entries of a context that fit a number, the one that answers it first; all of them for ""."""
    if not number:
        return [*_ENTRIES, _PREFIX, _FORWARDING, _ROUTE, *([_WIDE] if has_wide_route else [])]
    places = [_ROUTE] if number[:1] == "0" and len(number) > 1 else []
    places += [_FORWARDING] if number[:3] == "*72" and len(number) > 3 else []
    places += [_PREFIX] if number[:3] == "981" and len(number) > 4 else []
    if number.isdecimal() and len(number) > 1:
        places += [*([_WIDE] if has_wide_route else []), *([_BAD] if context == PHONES else [])]
    reached = [
        one
        for one in _ENTRIES
        if one.extension == number
        and (context == one.context or (context in (PHONES, TRANSFERS) and one.context not in _OWN_CONTEXT_ONLY))
    ]
    return [*reached, *(places if context in _WITH_ROUTES else [])]


def phones_of(number: str, has_wide_route: bool) -> tuple[str, ...]:
    """Return the endpoints that a number rings, dialled by a phone."""
    found = find_entries(PHONES, number, has_wide_route)
    return found[0].phones if found else ()
