"""What UnifiedAPI answers is read whichever shape it has, and nonsense is no call."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phoneterm_bridge.pbx.voipnow.reading import (
    PhoneCall,
    number_in,
    read_error,
    read_json,
    read_page,
    read_registrations,
)

VIEW = {
    "id": "01", "extension": "0003*101", "source": ["0003*103"], "destination": ["0003*101"], "flow": 2, "status": 5,
    "answered": "2026-03-02T10:00:00+03:00", "callerId": "John Doe <4242425>",
}  # fmt: skip
CALL = {"id": "b817d2618fe6f1804db1", "extension": "0003*101", "phoneCallView": [VIEW]}


def read(document):
    return read_page(json.loads(json.dumps(document)))


def only_view(changes, without=()):
    view = {name: value for name, value in (VIEW | changes).items() if name not in without}
    (call,) = read({"entry": [CALL | {"phoneCallView": [view]}]}).calls
    return call.views[0]


@pytest.mark.parametrize("entry", [[CALL], {"b817": CALL}, CALL])
def test_entries_come_in_a_list_or_in_an_object_or_alone(entry):
    page = read({"totalResults": 1, "entry": entry})
    assert [call.id for call in page.calls] == [CALL["id"]]
    assert page.total == 1


def test_a_view_may_come_alone():
    (call,) = read({"entry": [CALL | {"phoneCallView": VIEW}]}).calls
    assert [view.extension for view in call.views] == ["0003*101"]


@pytest.mark.parametrize("document", [{}, [], {"totalResults": 0}, {"entry": None}, {"entry": []}, {"entry": {}}])
def test_without_an_entry_there_is_no_call(document):
    assert read(document).calls == ()


@pytest.mark.parametrize("name", ["callerId", "callerID"])
def test_the_caller_id_has_two_spellings(name):
    view = only_view({name: "Jane <0123>"}, {"callerId"} - {name})
    assert number_in(view.caller_id) == "0123"


def test_absent_fields_say_nothing():
    view = only_view({}, ("answered", "callerId", "status", "flow", "source", "destination", "id"))
    assert (view.status, view.flow, view.source, view.caller_id, view.is_answered) == (0, 0, (), "", False)
    assert (view.is_held, view.is_parked, view.is_holder) == (False, False, None)


@pytest.mark.parametrize(("value", "holds"), [(1, True), ("1", True), (0, False), (None, None)])
def test_who_holds_is_told_or_is_not(value, holds):
    assert only_view({"onHold": "2026-03-02T10:00:00+03:00", "holder": value}).is_holder is holds


@pytest.mark.parametrize("date", ["2026-03-02T10:00:00+03:00", "2026-03-02T07:00:00Z", "yesterday", 1772434800])
def test_a_date_of_any_kind_says_that_it_is_so(date):
    assert only_view({"onHold": date}).is_held


def test_numbers_may_be_texts_and_texts_numbers():
    view = only_view({"status": "5", "flow": "8", "source": 5354353})
    assert (view.status, view.flow, view.source) == (5, 8, ("5354353",))


def test_a_list_may_come_without_anything_around_it():
    assert [call.id for call in read([CALL]).calls] == [CALL["id"]]


def test_a_list_says_how_many_there_are_and_whether_more_come():
    page = read({"totalResults": -1, "entry": [CALL], "paging": {"next": "https://elsewhere.invalid/"}})
    assert (page.total, page.has_next, page.is_empty) == (None, True, False)
    assert read({"totalResults": 3}).is_empty


@pytest.mark.parametrize("document", [{"message": "Under maintenance"}, {"error": {"code": "x"}}, "calls", 7, None])
def test_what_is_no_list_of_calls_is_said_to_be_none(document):
    with pytest.raises(ValueError, match="no list"):
        read(document)


@pytest.mark.parametrize("date", ["0000-00-00 00:00:00", "0000-00-00T00:00:00Z", "0", 0, "", "false", False, None])
def test_a_date_that_is_none_says_nothing(date):
    view = only_view({"onHold": date, "answered": date, "parked": date})
    assert (view.is_held, view.is_answered, view.is_parked) == (False, False, False)


@pytest.mark.parametrize("text", ["\ud800", "0003*101\r\n", "a\x00b", "\u202e101"])
def test_what_cannot_be_printed_is_no_number_and_no_id(text):
    assert read({"entry": [CALL | {"id": text}]}).calls == ()
    assert only_view({"callerId": text, "source": [text, "0003*103"]}).source == ("0003*103",)
    (call,) = read({"entry": [CALL | {"phoneCallView": [VIEW | {"extension": text}]}]}).calls
    assert call.views == ()


@pytest.mark.parametrize(
    "entry", [{}, {"id": ""}, {"id": ".."}, {"id": "@self"}, {"id": "x" * 300}, {"id": True}, "call", None, 7]
)
def test_an_entry_without_a_usable_id_is_left_out(entry):
    assert read({"entry": [entry, CALL]}).calls == read({"entry": [CALL]}).calls


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({"error": "invalid_client"}, "invalid_client"),
        ({"error": {"code": "invalid_token", "message": "No."}}, "invalid_token"),
        ({"error": {"message": "No.\r\nX"}}, "No.??X"),
        ({"error": {"code": 151}}, "151"),
        ({"error": f"no token {'1|' + 'a~' * 16}"}, "no token ..."),
        ({"error": []}, ""),
        ([], ""),
    ],
)
def test_an_error_has_one_printable_word(document, word):
    assert read_error(document) == word


def test_a_document_nested_too_deeply_is_none():
    with pytest.raises(ValueError, match=r".+"):
        read_json(b"[" * 100_000)


@pytest.mark.parametrize("entry", [{"id": "x", "type": ".."}, {"id": "..", "type": "0"}, {"id": "x"}, "x", None])
def test_a_registration_that_cannot_be_removed_is_left_out(entry):
    """Its id and its kind stand in the address that removes it."""
    good = {"id": "x1", "type": "0", "url": "https://bridge.example/calls/k"}
    assert [one.id for one in read_registrations({"entry": [entry, good]})] == ["x1"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*VIEW, *CALL, "entry"]), inner),
)


@given(_JSON)
def test_nothing_that_is_json_breaks_the_reader(entry):
    for call in read_page({"entry": [entry, entry], "totalResults": entry}).calls:
        assert isinstance(call, PhoneCall)
        assert call.id
