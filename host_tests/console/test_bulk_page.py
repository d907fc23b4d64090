"""Changes of many terminals in a real browser and over the API: previewed, made as one; what was not done is said."""

import asyncio
import io
import json
import zipfile
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from console.test_terminals_page import shown
from phoneterm.core import messages
from phoneterm_bridge.administration.bulk_change import MOST_AT_ONCE
from phoneterm_bridge.administration.requesting import Patience
from phoneterm_bridge.broker.terminal_document import decode
from playwright.async_api import expect

PLACE = "Berlin, 2nd floor"


@pytest_asyncio.fixture(loop_scope="session")
async def fleet(console_without_tls):
    """Further terminals of berta (two) and carl, and a revoked one of dora; boards may do without TLS."""
    scene, made = console_without_tls, {}
    for user, is_aware, numbers in (
        ("berta", True, ("102", "112")),
        ("carl", True, ("103",)),
        ("dora", True, ("104",)),
    ):
        scene.directory.add_user(user, is_aware)
        for number in numbers:
            scene.directory.add_extension(number, user)
            made[number] = scene.directory.add_terminal(f"phone-{number}", number)
    scene.directory.revoke_terminal("phone-104")
    await scene.bridge.refresh()
    scene.made = made
    return scene


@pytest.fixture
def open_list(fleet, browser):
    """Open the list for somebody and choose terminals."""

    async def open_it(name, *tids):
        page = await (await browser.new_context(base_url=fleet.address, accept_downloads=True)).new_page()
        page.mistakes = []
        page.on("pageerror", lambda error: page.mistakes.append(str(error)))
        await page.goto("/sign-in?next=/terminals")
        await page.fill("[name=name]", name)
        await page.fill("[name=password]", "correct horse")
        await page.click("text=Sign in")
        await expect(page.locator("html")).to_have_attribute("data-live", "live")
        for tid in tids:
            await page.get_by_label(f"Choose {tid}").check()
        return page

    return open_it


async def preview(page, what):
    await page.get_by_label("Change").select_option(what)
    await page.get_by_role("button", name="Preview").click()
    await expect(page.locator("#preview-head")).to_be_visible()
    return page.locator("#bulk-preview")


async def test_the_permission_is_taken_from_users_with_all_their_terminals_and_that_is_said_before(fleet, open_list):
    page = await open_list("otto", "phone-102", "phone-103")
    previewed = await preview(page, "not-aware")
    await expect(previewed).to_contain_text(
        "It counts for the whole user, so also for 1 terminal not chosen: phone-112."
    )
    await expect(previewed.locator("tbody tr")).to_have_count(2)
    await page.locator("#carry-out").click()
    await expect(page.locator("#said")).to_contain_text("2 terminals: each has a user who is not multi user aware")
    for user in ("berta", "carl"):
        change = fleet.changes(user)[0]
        assert (change.who, change.what) == ("console:otto", "multi user aware False")
    assert not fleet.bridge.parts.directory.find("phone-112").is_multi_user_aware
    assert page.mistakes == []


async def test_terminals_are_put_into_a_group_that_the_list_filters_and_sorts_by(fleet, open_list):
    page = await open_list("otto", "phone-102", "phone-103")
    await page.get_by_label("Change").select_option("group")
    await page.locator("#many [name=group]").fill(PLACE)
    previewed = await preview(page, "group")
    await expect(previewed).to_contain_text(f"{PLACE} is a new group.")
    await page.locator("#carry-out").click()
    await expect(page.locator("#t-phone-103")).to_contain_text(PLACE)
    await page.get_by_role("search").get_by_label("Site group").select_option(PLACE)
    assert await shown(page) == ["phone-102", "phone-103"]
    await expect(page.locator("[data-active]")).to_contain_text(f"site group: {PLACE}")
    fleet.directory.set_group("phone-101", PLACE)  # whoever comes into it is shown at once
    await expect(page.locator("#t-phone-101")).to_be_visible()
    await page.reload()
    await expect(page.locator("[data-active]")).to_contain_text(f"site group: {PLACE}")
    assert await shown(page) == ["phone-101", "phone-102", "phone-103"]
    await page.get_by_role("button", name="Show everything").click()
    await page.get_by_role("button", name="Group").click()
    assert (await shown(page))[:3] == ["phone-101", "phone-102", "phone-103"]
    await page.goto("/terminals/phone-103")
    await page.get_by_label("Site group").fill("")
    await page.get_by_role("button", name="Set the site group").click()
    await expect(page.locator("#said")).to_contain_text("phone-103 belongs to no site group any more.")
    assert fleet.changes("phone-103")[0].what == "site group none"
    assert page.mistakes == []


async def test_destinations_are_changed_and_who_has_them_already_is_left_out_with_the_reason(fleet, open_list):
    fleet.directory.set_classes("phone-103", ("internal", "national"))
    await fleet.bridge.refresh()
    page = await open_list("otto", "phone-102", "phone-103", "phone-104")
    previewed = await preview(page, "allow-class:national")
    await expect(previewed.locator("tbody")).to_have_text("phone-102102bertainternalinternal, national")
    await expect(previewed).to_contain_text("Not affected: phone-103 (it may transfer to national numbers already)")
    await page.locator("#carry-out").click()
    result = page.locator("#bulk-result")
    await expect(result).to_contain_text("1 terminal may transfer to national numbers.")
    await expect(result).to_contain_text("phone-104 (it is revoked)")
    await page.get_by_role("button", name="Close").click()
    await expect(result).to_be_empty()
    assert fleet.bridge.parts.directory.find("phone-102").classes == ("internal", "national")


async def test_new_secrets_come_as_one_file_after_a_question_and_revoking_asks_too(fleet, open_list):
    page = await open_list("anna", "phone-102", "phone-103")
    await page.get_by_label("Change").select_option("rotate")
    await page.get_by_label("The broker's address").fill("broker.example")
    previewed = await preview(page, "rotate")
    await expect(previewed).to_contain_text("it cannot come back")
    before = {tid: fleet.bridge.parts.directory.find(tid).key for tid in ("phone-102", "phone-103")}
    await page.locator("#carry-out").click()
    await page.get_by_role("dialog").get_by_role("button", name="No").click()
    assert fleet.bridge.parts.directory.find("phone-102").key == before["phone-102"]
    await page.locator("#carry-out").click()
    await page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Save all as terminals.zip").click()
    path = await (await downloading.value).path()
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        assert archive.namelist() == ["phone-102.json", "phone-103.json"]
        for name in archive.namelist():
            document = decode(archive.read(name).decode())
            record = fleet.bridge.parts.directory.find(name.removesuffix(".json"))
            assert bytes.fromhex(document.texts["mac_key"]) == record.key != before[record.tid]
    await page.get_by_label("Choose phone-103").check()
    await preview(page, "revoke")
    await page.get_by_role("button", name="Revoke for good").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Revoke phone-103 for good?")
    await page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    await expect(page.locator("#t-phone-103 .state")).to_have_text("revoked")
    assert fleet.changes("phone-103")[0].what == "terminal revoked"
    assert page.mistakes == []


async def test_what_no_board_could_use_stops_the_preview_already(fleet, open_list):
    page = await open_list("anna", "phone-102")
    await page.get_by_label("Change").select_option("rotate")
    await page.get_by_label("The broker's address").fill("127.0.0.1")
    await page.get_by_role("button", name="Preview").click()
    await expect(page.locator("#said")).to_contain_text("127.0.0.1")
    await expect(page.locator("#carry-out")).to_have_count(0)


async def test_those_that_were_not_told_are_named_with_the_reason(fleet, open_list):
    fleet.bridge.console.site.operations._patience = Patience(5, 5, 0.3)
    terminals = [await fleet.terminal(fleet.made[number]) for number in ("102", "112")]
    for terminal in terminals:
        await terminal.hello()
    page = await open_list("otto", "phone-102", "phone-103", "phone-112")
    previewed = await preview(page, "reboot")
    await expect(previewed).to_contain_text("Not affected: phone-103 (it is not online)")
    await terminals[1].send(messages.STATE, {"boot": "b001", "state": "offline"}, is_retained=True)
    await expect(page.locator("#t-phone-112 .state")).to_have_text("offline")
    await page.locator("#carry-out").click()
    result = page.locator("#bulk-result")
    await expect(result).to_contain_text("phone-103, phone-112 (it is not online)")
    await expect(result).to_contain_text("phone-102 was told to reboot, but has not gone within 0 s")
    await expect(page.locator("#said")).to_contain_text("0 of 1 terminals were told to reboot.")


async def test_only_the_outdated_are_chosen_and_what_a_filter_hides_is_counted(fleet, open_list):
    for number in ("102", "112"):
        await (await fleet.terminal(fleet.made[number])).hello()
    seen = fleet.bridge.parts.sightings
    page = await open_list("otto")
    seen._known["phone-102"] = seen.find("phone-102")._replace(firmware="0.9.1")
    seen._known["phone-112"] = seen.find("phone-112")._replace(firmware="0.10.0")
    await page.get_by_label("only outdated firmware").check()
    await expect(page.get_by_text("(not 0.10.0)")).to_be_visible()
    await expect(page.locator("#t-phone-112")).to_be_hidden()
    assert await shown(page) == ["phone-102"]
    await page.get_by_label("Choose all that are shown").check()
    await page.get_by_label("only outdated firmware").uncheck()
    await page.get_by_label("Search").fill("carl")
    await expect(page.locator("#many")).to_contain_text("1 chosen 1 of them not shown below")


async def test_a_preview_that_is_not_right_any_more_is_not_carried_out(fleet):
    who = await fleet.sign_in("otto")
    fields = {"what": "deny-blind", "terminal": "phone-102"}
    status, text = await fleet.post(who, "/terminals/preview", **fields)
    mark = json.loads(text)["mark"]
    await asyncio.to_thread(fleet.directory.set_operation, "phone-102", "attended", False)
    status, text = await fleet.post(who, "/terminals/change", **fields, mark=mark)
    assert (status, "has changed since the preview" in text) == (409, True)
    for what in ("rotate", "revoke"):
        for path in ("/terminals/preview", "/terminals/change"):
            assert (await fleet.post(who, path, what=what, terminal="phone-102"))[0] == 403


async def test_others_than_the_preview_has_shown_are_told_nothing(fleet):
    who = await fleet.sign_in("otto")
    mark = json.loads((await fleet.post(who, "/terminals/preview", what="reboot", terminal="phone-102"))[1])["mark"]
    status, text = await fleet.post(who, "/terminals/change", what="reboot", terminal="phone-103", mark=mark)
    assert (status, "not what the preview has shown" in text) == (409, True)


async def test_a_form_and_a_body_have_room_for_the_most_terminals_with_the_longest_ids(fleet):
    many = [f"{number:032}" for number in range(MOST_AT_ONCE)]
    who = await fleet.sign_in("otto")
    form = urlencode([("what", "reboot"), *(("terminal", tid) for tid in many)])
    status, _, text = await fleet.ask("/terminals/preview", "POST", form, who)
    assert (status, "there is no such terminal" in text) == (200, True)
    token = await asyncio.to_thread(fleet.accounts.add_token, "many", "operator")
    await fleet.bridge.refresh()
    body = json.dumps({"what": "reboot", "terminals": many})
    status, _, text = await fleet.ask("/api/bulk/preview", "POST", body, {"Authorization": f"Bearer {token}"})
    assert (status, len(json.loads(text)["not_affected"])) == (200, MOST_AT_ONCE)


async def test_programs_preview_and_change_many_too(fleet):
    tokens = {role: await asyncio.to_thread(fleet.accounts.add_token, role, role) for role in ("operator", "admin")}
    await fleet.bridge.refresh()

    async def ask(path, body, role="operator", method="POST"):
        headers = {"Authorization": f"Bearer {tokens[role]}"}
        status, _, text = await fleet.ask(path, method, json.dumps(body), headers)
        return status, json.loads(text)

    wanted = {"what": "group", "value": PLACE, "terminals": ["phone-102", "phone-104", "phone-x"]}
    status, said = await ask("/api/bulk/preview", wanted)
    assert (status, said["affected"]) == (
        200, [{"terminal": "phone-102", "extension": "102", "user": "berta", "now": "no group", "then": PLACE}]
    )  # fmt: skip
    assert said["not_affected"][1] == {"terminal": "phone-x", "why": "there is no such terminal"}
    assert fleet.bridge.parts.directory.snapshot.groups == {}
    status, done = await ask("/api/bulk", wanted | {"mark": said["mark"]})
    assert (status, done["said"]) == (200, f"1 terminal: each belongs to the site group {PLACE}.")
    assert (await ask("/api/bulk", wanted | {"mark": said["mark"]}))[0] == 409
    assert fleet.changes("phone-102")[0].who == "token:operator"
    headers = {"Authorization": f"Bearer {tokens['operator']}"}
    _, _, text = await fleet.ask("/api/terminals?group=Berlin,%202nd%20floor", headers=headers)
    assert [one["terminal"] for one in json.loads(text)] == ["phone-102"]
    _, _, text = await fleet.ask("/api/groups", headers=headers)
    assert json.loads(text) == [{"group": PLACE, "terminals": 1}]
    rotate = {"what": "rotate", "terminals": ["phone-102"], "mqtt_host": "broker.example"}
    assert (await ask("/api/bulk", rotate))[0] == 403
    status, done = await ask("/api/bulk", rotate, "admin")
    assert (status, [one["terminal"] for one in done["settings"]]) == (200, ["phone-102"])
    status, said = await ask("/api/terminals/phone-102/group", {}, "operator", "PUT")
    assert (status, said["said"]) == (200, "phone-102 belongs to no site group any more.")
