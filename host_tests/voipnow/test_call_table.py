"""What lists of calls say of an extension's legs, and which of two lists counts."""

import pytest
from phoneterm_bridge.pbx.calls import describe_calls
from phoneterm_bridge.pbx.voipnow.call_table import OUR_NAME, CallTable, ref_of
from phoneterm_bridge.pbx.voipnow.reading import PhoneCall, View

TRYING, RINGING, FAR_RINGING, ON_CALL = 2, 3, 4, 5
LOCAL, OUT, IN = 2, 4, 8
USER, CALLER = "0003*101", "0003*103"


def view(extension=USER, source=CALLER, destination=USER, flow=LOCAL, status=ON_CALL, **changes):
    usual = {"id": "01", "is_answered": status == ON_CALL, "is_held": False, "is_parked": False, "is_holder": None}
    return View(**(usual | {"extension": extension, "source": (source,), "destination": (destination,), "flow": flow,
                            "status": status, "caller_id": ""} | changes))  # fmt: skip


def call(*views, call_id="c1"):
    return PhoneCall(call_id, views or (view(),))


def shown(*views, endpoint="101"):
    table = CallTable("0003")
    table.load([call(*views)], 10.0, 1)
    (found,) = table.calls(endpoint)
    return found


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"status": RINGING}, "ringing"),
        ({"status": FAR_RINGING, "source": USER, "destination": CALLER}, "dialling"),
        ({"status": TRYING, "source": USER, "destination": CALLER}, "dialling"),
        ({"status": TRYING, "flow": OUT}, "dialling"),
        ({"status": RINGING, "flow": IN, "source": "5354353"}, "ringing"),
        ({}, "talking"),
        ({"status": 0, "is_answered": True}, "talking"),
        ({"is_held": True}, "held"),
        ({"is_held": True, "is_holder": True}, "held"),
        ({"is_held": True, "is_holder": False}, "talking"),
        ({"is_parked": True}, "elsewhere"),
        ({"source": USER, "destination": "*97"}, "elsewhere"),
    ],
)
def test_a_view_says_what_the_leg_is_to_its_user(changes, state):
    assert shown(view(**changes)).state == state


def test_who_is_held_by_the_other_side_goes_on_talking():
    held = view(CALLER, is_held=True, is_holder=True, source=CALLER)
    assert shown(view(is_held=True), held).state == "talking"


def test_the_other_party_is_known_in_both_forms():
    found = shown(view(), view(CALLER))
    assert found.lines == {"0003*103", "103"}
    assert found.peer == "103"
    assert shown(view(flow=IN, source="5354353", caller_id="Jane <0123>")).peer == "0123"


def test_an_endpoint_with_a_star_is_an_extension_of_any_organization():
    table = CallTable("0003")
    table.load([call(view("0004*210", destination="0004*210"))], 10.0, 1)
    assert [found.endpoint for found in table.calls("0004*210")] == ["0004*210"]
    assert table.calls("210") == ()


def test_two_extensions_of_one_call_have_references_of_their_own():
    table = CallTable("0003")
    table.load([call(view(), view(CALLER))], 10.0, 1)
    assert {table.calls("101")[0].ref, table.calls("103")[0].ref} == {ref_of("c1", USER), ref_of("c1", CALLER)}


def test_a_conversation_counts_from_when_a_list_first_showed_it():
    table = CallTable("0003")
    table.load([call(view(status=RINGING))], 10.0, 1)
    assert table.calls("101")[0].talking_since is None
    for request, now_s in ((2, 20.0), (3, 30.0)):
        table.load([call()], now_s, request)
        assert table.calls("101")[0].talking_since == 20.0


def test_the_reference_stays_when_only_the_view_changes():
    table = CallTable("0003")
    table.load([call(view(id="01"))], 10.0, 1)
    before = table.calls("101")
    table.load([call(view(id="02"))], 20.0, 2)
    assert table.calls("101") == before


def test_only_extensions_whose_legs_have_changed_are_named():
    table = CallTable("0003")
    both = [call(view()), call(view(CALLER), call_id="c2")]
    assert table.load(both, 10.0, 1) == {USER, CALLER}
    assert table.load(both, 20.0, 2) == set()
    assert table.load(both[:1], 30.0, 3) == {CALLER}
    assert table.load([], 40.0, 4) == {USER}


def test_a_list_that_was_asked_for_earlier_changes_nothing():
    """Asked for first, answered last: it shows a call that a later list knows to be over."""
    table = CallTable("0003")
    table.load([call()], 10.0, 1)
    assert table.load([], 30.0, 3, USER) == {USER}
    assert table.load([call()], 31.0, 2) == set()
    assert table.calls("101") == ()
    table.load([call()], 40.0, 5)
    assert table.load([], 41.0, 4, USER) == set()
    assert len(table.calls("101")) == 1


def test_a_list_of_one_extension_says_nothing_of_the_others():
    table = CallTable("0003")
    table.load([call(view(), view(CALLER))], 10.0, 1)
    assert table.load([], 20.0, 2, USER) == {USER}
    assert len(table.calls("103")) == 1


def test_a_call_on_hold_beside_one_that_rings_is_not_clear():
    table = CallTable("0003")
    held, ringing = call(view(is_held=True)), call(view(status=FAR_RINGING, flow=OUT), call_id="c2")
    table.load([held, ringing], 10.0, 1)
    assert describe_calls(table.calls("101")) == {"state": "talking", "call": None}


def test_a_call_that_a_list_has_once_for_each_extension_is_one_call():
    table = CallTable("0003")
    table.load([call(view()), call(view(CALLER)), call(view())], 10.0, 1)
    assert len(table.calls("101")) == len(table.calls("103")) == 1


def test_a_call_of_which_nothing_is_said_goes_on_as_it_was():
    table = CallTable("0003")
    table.load([call()], 10.0, 1)
    before = table.calls("101")
    assert table.load([PhoneCall("c1", ())], 20.0, 2) == set()
    assert table.calls("101") == before
    assert table.load([], 30.0, 3) == {USER}


def test_only_a_call_that_the_extension_placed_can_be_one_that_the_bridge_has_made():
    """Whoever calls from outside can have any name displayed."""
    ours = f"{OUR_NAME} <102>"
    table = CallTable("0003")
    calls = [call(view(caller_id=ours)), call(view(source=USER, destination="0003*102", caller_id=ours), call_id="c2")]
    table.load(calls, 10.0, 1)
    assert {leg.call_id: (leg.is_ours, leg.dialled) for leg in table.legs_of(USER)} == {
        "c1": (False, ""), "c2": (True, "0003*102")}  # fmt: skip
