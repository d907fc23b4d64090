"""The stand-in answers as documents, samples and clients in use say that VoipNow does, without the backend."""

import ssl

import httpx
import pytest
import pytest_asyncio
from pbx.desk import CALLER, COLLEAGUE, USER
from pbx_lab.legs import are_alone, has_leg, is_gone, is_on_hold, is_talking

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLS = "/uapi/phoneCalls/@me/"
EXTENSION = "0003*101"


class Client:
    """Somebody with a token."""

    def __init__(self, lab):
        self._lab = lab
        self.http = httpx.AsyncClient(
            base_url=lab.url, verify=ssl.create_default_context(cafile=lab.ca_path), trust_env=False
        )

    async def get_token(self, **changes):
        tokens = self._lab.tokens
        form = {
            "client_id": tokens.client_id, "client_secret": tokens.client_secret, "grant_type": "client_credentials",
            "type": "unifiedapi", "redirect_uri": self._lab.url,
        }  # fmt: skip
        answer = await self.http.post("/oauth/token.php", data=form | changes)
        if answer.status_code == 200:
            self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    async def calls(self, extension=EXTENSION, **query):
        return (await self.http.get(CALLS + extension, params=query)).json()


@pytest_asyncio.fixture(loop_scope="session")
async def client(lab):
    """Somebody with a token."""
    client = Client(lab)
    await client.get_token()
    yield client
    await client.http.aclose()


async def test_a_token_has_odd_characters_and_ends_when_it_said(lab, client):
    fields = (await client.get_token()).json()
    assert fields["token_type"] == "Bearer"
    assert {"|", "~"} <= set(fields["access_token"])
    lab.tokens.lifetime_s = 0
    await client.get_token()
    lab.tokens.lifetime_s = 3600
    answer = await client.http.get(CALLS + EXTENSION)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "x"}, "invalid_client"), ({"client_id": "x"}, "invalid_client"),
        ({"grant_type": "password"}, "invalid_request"), ({"type": ""}, "invalid_request"),
        ({"redirect_uri": ""}, "invalid_request"),
    ],
)  # fmt: skip
async def test_a_token_is_refused_in_one_word(client, changes, error):
    assert (await client.get_token(**changes)).json() == {"error": error}


async def test_a_call_has_a_view_for_each_extension_and_no_null_field(lab, client):
    await lab.place_call(CALLER, USER)
    listed = await client.calls()
    assert {name: listed[name] for name in ("totalResults", "itemsPerPage", "startIndex")} == {
        "totalResults": 1, "itemsPerPage": 1, "startIndex": 0}  # fmt: skip
    (call,) = listed["entry"]
    views = {view["extension"]: view for view in call["phoneCallView"]}
    assert set(views) == {"0003*101", "0003*103"}
    assert all(value is not None for view in views.values() for value in view.values())
    mine = views[EXTENSION]
    assert (mine["source"], mine["destination"]) == (["0003*103"], ["0003*101"])
    assert (mine["flow"], mine["status"]) == (2, 5)
    assert mine["answered"].endswith("+03:00")
    assert "onHold" not in mine


async def test_calls_from_and_to_outside_have_the_flow_of_their_direction(lab, client):
    await lab.place_call(USER, "0123456")
    (view,) = (await client.calls())["entry"][0]["phoneCallView"]
    assert (view["flow"], view["destination"]) == (4, ["0123456"])


async def test_nothing_there_is_a_list_without_an_entry_or_nothing_at_all(lab, client):
    assert "entry" not in await client.calls()
    lab.shapes.empty = "204"
    answer = await client.http.get(CALLS + EXTENSION)
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_page_has_twenty_calls(lab, client):
    for _ in range(23):
        lab.exchange.place_call(COLLEAGUE, CALLER)
    first, second = await client.calls("@self"), await client.calls("@self", startIndex=20, count=100)
    assert [len(page["entry"]) for page in (first, second)] == [20, 3]
    assert "paging" in first
    assert "paging" not in second


@pytest.mark.parametrize("how", ["transferFromNumber", "phoneCallViewId"])
async def test_a_transfer_moves_the_call_and_answers_with_it_as_it_was(lab, client, how):
    await lab.place_call(CALLER, USER)
    (call,) = (await client.calls())["entry"]
    own = next(view["id"] for view in call["phoneCallView"] if view["extension"] == EXTENSION)
    wanted = {"action": "Transfer", "sendCallTo": "102", how: EXTENSION if how == "transferFromNumber" else own}
    answer = await client.http.put(f"{CALLS}{EXTENSION}/{call['id']}", json=wanted)
    assert [one["id"] for one in answer.json()] == [call["id"]]
    await lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    (moved,) = (await client.calls("0003*102"))["entry"]
    assert moved["id"] == call["id"]


async def test_without_a_call_an_action_is_carried_out_on_every_call_of_the_extension(lab, client):
    await lab.place_call(CALLER, USER)
    await lab.place_call(USER, "0123456")
    await client.http.delete(CALLS + EXTENSION)
    await lab.wait_until(lambda legs: not legs)


async def test_hold_and_its_end_are_actions_on_a_view(lab, client):
    await lab.place_call(CALLER, USER)
    (call,) = (await client.calls())["entry"]
    view = next(view["id"] for view in call["phoneCallView"] if view["extension"] == EXTENSION)
    place = f"{CALLS}{EXTENSION}/{call['id']}"
    await client.http.put(place, json={"action": "OnHold", "phoneCallViewId": view})
    await lab.wait_until(lambda legs: is_on_hold(legs, CALLER))
    views = {one["extension"]: one for one in (await client.calls())["entry"][0]["phoneCallView"]}
    assert (views[EXTENSION]["holder"], "holder" in views["0003*103"]) == (1, False)
    assert "onHold" in views["0003*103"]
    await client.http.put(place, json={"action": "OffHold", "phoneCallViewId": view})
    await lab.wait_until(lambda legs: is_talking(legs, CALLER, USER))


def made_by(extension, number):
    """Return what makes a call from an extension."""
    view = {"source": [extension], "destination": [number], "callerId": "Somebody else <7>"}
    return {"extension": extension, "phoneCallView": [view]}


async def test_a_call_that_is_made_rings_at_its_source_first(lab, client):
    await lab.set_behaviour(USER, "ring")
    answer = await client.http.post(f"{CALLS}simple", json=made_by(EXTENSION, "0003*102"))
    (made,) = answer.json()
    await lab.wait_until(lambda legs: has_leg(legs, USER, "ringing") and is_gone(legs, COLLEAGUE))
    (shown,) = (await client.calls())["entry"]
    (view,) = shown["phoneCallView"]
    assert shown["id"] == made["id"]
    assert (view["status"], view["source"], view["destination"]) == (3, [EXTENSION], ["0003*102"])
    assert view["callerId"] == "Somebody else <7>"
    await lab.answer(USER)
    await lab.wait_until(lambda legs: are_alone(legs, USER, COLLEAGUE))


@pytest.mark.parametrize("endpoint", [USER, COLLEAGUE])
async def test_a_call_that_is_made_and_not_taken_ends(lab, client, endpoint):
    await lab.set_behaviour(endpoint, "busy")
    assert (await client.http.post(f"{CALLS}simple", json=made_by(EXTENSION, "102"))).status_code == 200
    await lab.wait_until(lambda legs: not legs)


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({}, 400), ({"extension": EXTENSION, "phoneCallView": []}, 400), (made_by(EXTENSION, "299"), 400),
        (made_by("0004*210", "102"), 403), (made_by(EXTENSION, "102") | {"extension": "0003*103"}, 403),
    ],
)  # fmt: skip
async def test_a_call_that_makes_no_sense_is_not_made(lab, client, wanted, status):
    assert (await client.http.post(f"{CALLS}simple", json=wanted)).status_code == status
    assert await lab.legs() == []


@pytest.mark.parametrize("checks_target", [True, False])
async def test_a_number_that_does_not_exist_is_refused_or_loses_the_caller(lab, client, checks_target):
    lab.shapes.checks_target = checks_target
    await lab.place_call(CALLER, USER)
    (call,) = (await client.calls())["entry"]
    wanted = {"action": "Transfer", "sendCallTo": "299", "transferFromNumber": EXTENSION}
    answer = await client.http.put(f"{CALLS}{EXTENSION}/{call['id']}", json=wanted)
    assert answer.status_code == (400 if checks_target else 200)
    await lab.wait_until(lambda legs: are_alone(legs, CALLER, USER) if checks_target else not legs)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"action": "Dance"}', b'{"action": "Transfer"}'])
async def test_an_action_that_makes_no_sense_is_refused(client, body):
    assert (await client.http.put(f"{CALLS}{EXTENSION}/x", content=body)).status_code == 400


async def test_another_organizations_extension_is_refused(client):
    assert (await client.http.get(f"{CALLS}0004*210")).status_code == 403
