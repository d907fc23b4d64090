"""Requests to UnifiedAPI: which may be repeated, which may not, how lists are read, and what is refused beforehand."""

import asyncio
import gzip
import json
import re
from urllib.parse import parse_qs

import pytest
import pytest_asyncio
from phoneterm_bridge.pbx.voipnow.app_token import AppToken
from phoneterm_bridge.pbx.voipnow.failures import AppRefused, NoAnswer, NotDone, Refused, TooMany
from phoneterm_bridge.pbx.voipnow.https_client import HttpsClient
from phoneterm_bridge.settings.problem import SetupProblem
from voipnow.scripted import Scripted, say
from voipnow_lab.https_server import Answer

CUT = Answer(is_cut=True)
USER = "0003*101"


@pytest_asyncio.fixture
async def scripted(tmp_path):
    """A server whose answers the test writes."""
    scripted = Scripted(tmp_path)
    await scripted.start()
    yield scripted
    await scripted.stop()


@pytest_asyncio.fixture
async def api(scripted):
    """Access to it."""
    api = scripted.api()
    yield api
    await api.close()


def entry(number):
    return {"id": f"call{number}", "phoneCallView": [{"id": "01", "extension": USER}]}


def pages_of(calls, most):
    """Return what answers with these calls, at most so many a page."""

    def answer(request):
        start = int(parse_qs(request.query)["startIndex"][0])
        page = calls[start : start + most]
        return say({"totalResults": len(calls), "startIndex": start, "entry": page} if page else {"totalResults": 0})

    return answer


@pytest.mark.parametrize("extension", ["", " ", ".", ".."])
@pytest.mark.parametrize("call_id", ["call1", "", " ", ".", ".."])
async def test_an_empty_call_or_extension_never_becomes_an_address(scripted, api, extension, call_id):
    """Without a call's id, VoipNow would act on every call of the extension."""
    if call_id == "call1" and extension == "":
        extension = " "
    place = (extension, call_id) if call_id == "call1" else (USER, call_id)
    acts = (api.transfer(*place, "102"), api.hang_up(*place), api.hold(*place, "01", True))
    for act in acts:
        with pytest.raises(ValueError, match="other calls"):
            await act
    assert scripted.requests == []


async def test_no_call_id_leads_to_another_address(scripted, api):
    await api.hang_up(USER, "../../x?y=1#z/%2e%2e")
    assert scripted.requests[0].path == "/uapi/phoneCalls/@me/0003*101/..%2F..%2Fx%3Fy%3D1%23z%2F%252e%252e"
    assert scripted.requests[0].query == ""


async def test_each_action_is_one_request_with_the_token(scripted, api):
    await api.transfer(USER, "c1", "0003*102")
    await api.hold(USER, "c1", "02", True)
    await api.hold(USER, "c1", "02", False)
    await api.hang_up(USER, "c1")
    assert [(one.method, one.path) for one in scripted.requests] == [
        ("PUT", f"/uapi/phoneCalls/@me/{USER}/c1")] * 3 + [("DELETE", f"/uapi/phoneCalls/@me/{USER}/c1")]  # fmt: skip
    assert [json.loads(one.body) for one in scripted.requests[:3]] == [
        {"action": "Transfer", "sendCallTo": "0003*102", "transferFromNumber": USER},
        {"action": "OnHold", "phoneCallViewId": "02"},
        {"action": "OffHold", "phoneCallViewId": "02"},
    ]
    assert {one.headers["authorization"] for one in scripted.requests} == {"Bearer 1|ab~1"}


@pytest.mark.parametrize("answer", [say([{}]), say({}), Answer(204), say([], 200)])
async def test_an_action_was_taken_whatever_the_document_is(scripted, api, answer):
    scripted.answer = lambda request: answer
    await api.transfer(USER, "c1", "102")
    assert len(scripted.requests) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (CUT, NoAnswer), (Answer(200, b"<html>"), NoAnswer), (Answer(200, b'{"a": 1}', sent_bytes=3), NoAnswer),
        (say({}, 500), NoAnswer), (Answer(502, b"<html>"), NoAnswer), (say({}, 503), NoAnswer),
        (say({"error": {"code": "x"}}, 400), Refused), (say({}, 401), Refused), (Answer(403, b"<html>"), Refused),
        (say({}, 429), TooMany), (Answer(302, headers={"Location": "/x"}), NotDone), (say({}, 307), NotDone),
    ],
)  # fmt: skip
async def test_an_action_is_never_repeated(scripted, api, answer, error):
    scripted.answer = lambda request: answer
    with pytest.raises(error):
        await api.transfer(USER, "c1", "102")
    assert len(scripted.requests) == 1


async def test_an_action_that_could_not_be_sent_is_not_done(scripted, api):
    ending = {"Connection": "close"}
    scripted.token_answers = [say({"access_token": "a|b~c", "expires_in": 3600}, **ending)]
    await api.get_token()
    await scripted.stop()
    with pytest.raises(NotDone, match="nobody answers there"):
        await api.transfer(USER, "c1", "102")


async def test_a_read_is_repeated_once(scripted, api):
    answers = [CUT, say({"entry": [entry(1)], "totalResults": 1})]
    scripted.answer = lambda request: answers.pop(0)
    assert [call.id for call in await api.calls()] == ["call1"]
    answers = [say({}, 500), say({"entry": [entry(1)], "totalResults": 1})]
    scripted.answer = lambda request: answers.pop(0)
    assert [call.id for call in await api.calls()] == ["call1"]
    scripted.answer = lambda request: CUT
    with pytest.raises(NoAnswer):
        await api.calls()
    assert len(scripted.requests) == 6


async def test_a_read_whose_token_is_not_taken_renews_it_once(scripted, api):
    scripted.answer = lambda request: say({}, 401) if request.headers["authorization"].endswith("~1") else say({})
    assert await api.calls() == []
    assert scripted.tokens_asked == 2
    scripted.answer = lambda request: say({"error": {"code": "invalid_token"}}, 401)
    with pytest.raises(Refused, match=r"401 \(invalid_token\)"):
        await api.calls()
    assert scripted.tokens_asked == 3


async def test_too_many_requests_are_not_answered_with_one_more(scripted, api):
    scripted.answer = lambda request: say({}, 429, **{"Retry-After": "7"})
    with pytest.raises(TooMany) as raised:
        await api.calls()
    assert raised.value.after_s == 7
    assert len(scripted.requests) == 1


@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 45])
async def test_a_list_is_read_page_by_page(scripted, api, count):
    scripted.answer = pages_of([entry(number) for number in range(count)], 20)
    assert [call.id for call in await api.calls()] == [f"call{number}" for number in range(count)]


async def test_a_list_that_moves_while_it_is_read_is_read_again(scripted, api):
    """A call that ends moves the others forward: one of them would be missed between two pages."""
    calls = [entry(number) for number in range(30)]
    moved = []

    def answer(request):
        reply = pages_of(calls, 20)(request)
        if not moved:
            moved.append(calls.pop(0))
        return reply

    scripted.answer = answer
    assert [call.id for call in await api.calls()] == [f"call{number}" for number in range(1, 30)]


async def test_a_list_that_never_stands_still_is_an_error(scripted, api):
    calls = [entry(number) for number in range(60)]

    def answer(request):
        calls.pop(0)
        return pages_of(calls, 20)(request)

    scripted.answer = answer
    with pytest.raises(NotDone, match="changed faster"):
        await api.calls()


async def test_a_server_that_does_not_say_how_many_there_are_is_asked_until_no_more_come(scripted, api):
    def answer(request):
        reply = json.loads(pages_of([entry(number) for number in range(45)], 20)(request).body)
        del reply["totalResults"]
        return say(reply)

    scripted.answer = answer
    assert len(await api.calls()) == 45


@pytest.mark.parametrize("count", [1, 2, 5])
async def test_a_page_may_have_a_single_call(scripted, api, count):
    scripted.answer = pages_of([entry(number) for number in range(count)], 1)
    assert [call.id for call in await api.calls()] == [f"call{number}" for number in range(count)]


async def test_a_server_that_counts_from_one_is_understood(scripted, api):
    """No source says whether the first call has the index 0 or 1."""
    calls = [entry(number) for number in range(45)]

    def answer(request):
        start = max(int(parse_qs(request.query)["startIndex"][0]) - 1, 0)
        return say({"totalResults": 45, "entry": calls[start : start + 20]})

    scripted.answer = answer
    assert [call.id for call in await api.calls()] == [f"call{number}" for number in range(45)]


async def test_a_total_that_counts_only_the_page_does_not_hide_the_next_one(scripted, api):
    calls = [entry(number) for number in range(45)]

    def answer(request):
        start = int(parse_qs(request.query)["startIndex"][0])
        page = calls[start : start + 20]
        more = {"paging": {"next": "https://elsewhere.invalid/"}} if start + 20 < 45 else {}
        return say({"totalResults": len(page), "entry": page} | more)

    scripted.answer = answer
    assert len(await api.calls()) == 45


async def test_a_server_that_gives_the_same_page_for_ever_is_asked_for_it_twice(scripted, api):
    next_page = {"paging": {"next": "https://elsewhere.invalid/"}}
    scripted.answer = lambda request: say({"entry": [entry(1), entry(2)]} | next_page)
    assert len(await api.calls()) == 2
    assert len(scripted.requests) == 2


async def test_a_list_that_counts_calls_and_shows_none_is_no_empty_list(scripted, api):
    scripted.answer = lambda request: say({"totalResults": 3})
    with pytest.raises(NotDone, match="list of 3 calls shows none"):
        await api.calls()


async def test_an_error_with_the_status_of_success_is_an_error(scripted, api):
    scripted.answer = lambda request: say({"error": {"code": "pc_phonecall_invalid"}})
    for work in (api.calls(), api.transfer(USER, "c1", "102"), api.make_call(USER, "102", "x <102>")):
        with pytest.raises(Refused, match="pc_phonecall_invalid"):
            await work
    scripted.token_answers = [say({"error": "invalid_client"})]
    other = scripted.api()
    with pytest.raises(AppRefused, match="invalid_client"):
        await other.calls()
    await other.close()


async def test_a_packed_answer_is_not_unpacked(scripted, api):
    """Eight kilobytes could be eight megabytes."""
    scripted.answer = lambda request: Answer(200, gzip.compress(b" " * (8 << 20)), {"Content-Encoding": "gzip"})
    with pytest.raises(NoAnswer, match="packed"):
        await api.calls()
    assert {one.headers["accept-encoding"] for one in scripted.requests} == {"identity"}


async def test_a_call_is_made_from_the_extension_and_named_in_either_shape(scripted, api):
    for answer, call_id in ((say([entry(1)]), "call1"), (say(entry(2)), "call2"), (say({"entry": [entry(3)]}), "call3"),
                            (Answer(204), ""), (say([]), "")):  # fmt: skip
        scripted.answer = lambda request, answer=answer: answer
        assert await api.make_call(USER, "0003*102", "phoneterm <102>") == call_id
    made = scripted.requests[0]
    assert (made.method, made.path, made.query) == ("POST", "/uapi/phoneCalls/@me/simple", "waitForPickup=25")
    view = {"source": [USER], "destination": ["0003*102"], "callerId": "phoneterm <102>"}
    assert json.loads(made.body) == {"extension": USER, "phoneCallView": [view]}


async def test_a_call_is_never_made_twice(scripted, api):
    for answer, error in ((CUT, NoAnswer), (say({}, 500), NoAnswer), (say({}, 400), Refused), (say({}, 401), Refused)):
        scripted.requests.clear()
        scripted.answer = lambda request, answer=answer: answer
        with pytest.raises(error):
            await api.make_call(USER, "102", "x <102>")
        assert len(scripted.requests) == 1


async def test_the_address_of_the_next_page_is_not_followed(scripted, api):
    next_page = {"paging": {"next": "https://elsewhere.invalid/"}}
    scripted.answer = lambda request: say({"totalResults": 1, "entry": [entry(1)]} | next_page)
    assert len(await api.calls()) == 1


async def test_an_answer_without_end_is_given_up(scripted, api):
    scripted.answer = lambda request: Answer(200, b" " * (9 * 1024 * 1024))
    with pytest.raises(NoAnswer, match="longer than"):
        await api.calls()


async def test_an_answer_that_trickles_in_is_given_up_in_time(scripted):
    api = scripted.api(timeout_ms=500)
    for_ever = asyncio.Event()

    async def answer(request):
        await for_ever.wait()

    scripted.answer = answer
    with pytest.raises(NoAnswer, match="in time"):
        await api.transfer(USER, "c1", "102")
    for_ever.set()
    await api.close()


async def test_another_ca_is_not_trusted(scripted, tmp_path):
    other = Scripted(tmp_path / "other")
    (tmp_path / "other").mkdir()
    await other.start()
    api = scripted.api(ca_path=other.site.path("ca.pem"))
    with pytest.raises(NotDone, match="its certificate is not accepted"):
        await api.calls()
    await api.close()
    await other.stop()


async def test_without_a_ca_of_its_own_the_systems_are_trusted(scripted):
    api = scripted.api(ca_path=None)
    with pytest.raises(NotDone, match="its certificate is not accepted"):
        await api.calls()
    await api.close()


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), (b"no PEM", "not a CA in PEM form")])
async def test_a_ca_that_cannot_be_used_is_one_sentence(scripted, tmp_path, content, words):
    path = tmp_path / "own.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SetupProblem, match=rf"{re.escape(str(path))}.*{words}|{words}"):
        scripted.api(ca_path=path)


async def test_no_proxy_of_the_environment_gets_the_secret(scripted, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    api = scripted.api()
    assert await api.calls() == []
    await api.close()


# The app's token.


class SlowClock:
    """Stands still unless a test puts it forward."""

    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest_asyncio.fixture
async def token(scripted):
    """The app's token, by a clock that stands still."""
    settings = scripted.settings()
    client = HttpsClient(settings.url, settings.ca_path, 5.0)
    token = AppToken(settings, client, SlowClock())
    yield token
    await client.close()


async def test_a_token_is_asked_for_as_voipnow_wants_it(scripted, token):
    asked = []
    original = scripted._answer

    async def note(request):
        asked.append(parse_qs(request.body.decode()))
        return await original(request)

    scripted.server._answer = note
    await token.get()
    assert asked == [
        {
            "client_id": ["app"], "client_secret": ["hush-hush"], "grant_type": ["client_credentials"],
            "type": ["unifiedapi"], "redirect_uri": [scripted.settings().url],
        }
    ]  # fmt: skip


HUGE = 10**400  # more than a float can be
LIVES = [(3600, 3500), ("7200", 7100), (60, 29), (None, 230), (True, 230), (HUGE, 80_000), ("9" * 5000, 230),
         (float("inf"), 80_000), (float("nan"), 230), (-1, 230)]  # fmt: skip


@pytest.mark.parametrize(("told", "good_s"), LIVES, ids=map(str, range(len(LIVES))))
async def test_expires_in_alone_says_how_long_a_token_is_good(scripted, token, told, good_s):
    scripted.token_answers = [say({"access_token": "a|b~c", "expires_in": told})]
    assert await token.get() == "a|b~c"
    token._clock.now_s += good_s
    assert await token.get() == "a|b~c"
    token._clock.now_s += 86_400
    assert await token.get() == "1|ab~2"


async def test_all_who_wait_for_a_token_share_one_request(scripted, token):
    assert len(set(await asyncio.gather(*(token.get() for _ in range(5))))) == 1
    assert scripted.tokens_asked == 1


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_an_app_that_is_refused_is_told_apart_from_trouble(scripted, token, status):
    scripted.token_answers = [say({"error": "invalid_client"}, status)]
    with pytest.raises(AppRefused, match=r"^invalid_client$"):
        await token.get()


@pytest.mark.parametrize(
    "answer",
    [
        say({}), say([]), say({"access_token": ""}), say({"access_token": 7}), say({"access_token": "a b"}),
        say({"access_token": "a\r\nX: y"}), say({"access_token": "ü"}), say({"access_token": "a" * 5000}), Answer(204),
        say({}, 500), Answer(200, b"<html>"), CUT, Answer(302, headers={"Location": "/x"}),
    ],
)  # fmt: skip
async def test_without_a_usable_token_nothing_is_asked(scripted, api, answer):
    scripted.token_answers = [answer, answer]
    with pytest.raises(NotDone):
        await api.transfer(USER, "c1", "102")
    assert scripted.requests == []
