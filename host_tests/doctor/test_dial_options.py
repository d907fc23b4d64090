"""The options of Dial and Queue as PBXs write them, read from plain values, without a PBX."""

import pytest
from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN
from phoneterm_bridge.doctor.pbx_dial_options import examine_dial_options, split_arguments
from phoneterm_bridge.doctor.store import read_stored
from phoneterm_bridge.pbx.ami.codec import Message


class FakeSession:
    """A PBX of plain values: dialplan lines by context, global variables, and calls."""

    username = "phoneterm"

    def __init__(self, contexts, variables=(), calls=()):
        self._contexts, self._variables, self._calls = contexts, dict(variables), calls

    async def read(self, name):
        return self._variables.get(name, "")

    async def ask_list(self, action, headers=()):
        if action == "CoreShowChannels":
            return [Message(one.items()) for one in self._calls]
        if action == "DBGet":
            return []
        lines = self._contexts.get(dict(headers)["Context"], [])
        wanted = dict(headers).get("Extension")
        return [Message(one.items()) for one in lines if wanted in (None, one.get("Extension"))]


def line(extension, application, data):
    return {"Context": "internal", "Extension": extension, "Priority": "1", "Application": application, "AppData": data}


@pytest.mark.parametrize(
    ("data", "variables", "verdict"),
    [
        ("${THISDIAL},20,${D_OPTIONS}", {}, UNKNOWN),
        ("${THISDIAL},20,${D_OPTIONS}", {"DIAL_OPTIONS": "HhTtr"}, OK),
        ("${THISDIAL},20,${D_OPTIONS}", {"DIAL_OPTIONS": "r"}, PROBLEM),
        ("PJSIP/101,20,${DIAL_OPTIONS}I", {"DIAL_OPTIONS": "Tt"}, OK),
        ("PJSIP/101,20,${DIAL_OPTIONS}", {}, PROBLEM),
        ("PJSIP/101,20,M(Tt)r", {}, PROBLEM),
        ("PJSIP/101,20,T", {}, PROBLEM),  # only the caller of 101 could transfer
        ("PJSIP/101,,rt", {}, OK),
    ],
)
async def test_options_as_other_pbxs_write_them(store_path, data, variables, verdict):
    session = FakeSession({"internal": [line("101", "Dial", data)]}, variables)
    assert [one.verdict for one in await examine_dial_options(session, read_stored(store_path))] == [verdict]


async def test_included_contexts_and_queues_are_looked_at_and_circles_end(store_path):
    include = [{"Context": "internal", "IncludeContext": "more"}, {"Context": "more", "IncludeContext": "internal"}]
    contexts = {
        "internal": [line("101", "Dial", "PJSIP/101,20,Tt"), *include],
        "more": [line("7", "Queue", "q,r"), *include],
    }
    (found,) = await examine_dial_options(FakeSession(contexts), read_stored(store_path))
    assert found.verdict == PROBLEM and "7 in more" in found.sentence and "101" not in found.sentence


@pytest.mark.parametrize(
    ("data", "arguments"),
    [
        ("PJSIP/102,20,Tt", ["PJSIP/102", "20", "Tt"]),
        (
            "PJSIP/102&PJSIP/103,,HhTtrM(auto,x)b(f^s^1(a,b))",
            ["PJSIP/102&PJSIP/103", "", "HhTtrM(auto,x)b(f^s^1(a,b))"],
        ),
        ("${IF($[1]?a,b)},,${DIAL_OPTIONS}", ["${IF($[1]?a,b)}", "", "${DIAL_OPTIONS}"]),
        ("", [""]),
    ],
)
def test_the_arguments_of_a_dial(data, arguments):
    assert split_arguments(data) == arguments
