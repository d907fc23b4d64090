"""Changes, import, health and accounts in a real browser."""

import json

from phoneterm_bridge.store.accounts import read_accounts
from playwright.async_api import expect


async def test_changes_appear_as_they_are_made_with_who_when_and_from_where(console, open_page):
    page = await open_page("/changes", "vera")
    console.directory.add_user("berta")
    row = page.locator("#changes tr").first
    await expect(row).to_contain_text("user added, multi user aware False")
    await expect(row).to_contain_text("test")
    await page.goto("/changes?of=tech1")
    await expect(page.locator("html")).to_have_attribute("data-live", "live")
    count = await page.locator("#changes tr").count()
    console.directory.add_user("carl")
    console.directory.set_multi_user_aware("tech1", False)
    await expect(page.locator("#changes tr").first).to_contain_text("multi user aware False")
    await expect(page.locator("#changes tr")).to_have_count(count + 1)
    assert page.mistakes == []


async def test_the_list_of_users_follows_the_directory_and_keeps_what_is_searched_for(console, open_page):
    page = await open_page("/users", "vera")
    await page.get_by_label("Search").fill("b")
    await expect(page.locator(".found")).to_have_text("0 of 1")
    for name in ("berta", "carl"):
        console.directory.add_user(name, True)
    await expect(page.locator(".found")).to_have_text("1 of 3")
    await expect(page.get_by_role("row", name="berta")).to_contain_text("yes")
    console.directory.set_multi_user_aware("berta", False)
    await expect(page.get_by_role("row", name="berta")).to_contain_text("no")
    await expect(page.get_by_label("Search")).to_have_value("b")
    assert page.mistakes == []


async def choose_file(page, text):
    file = {"name": "staff.csv", "mimeType": "text/csv", "buffer": text.encode()}
    await page.locator("input[type=file]").set_input_files(file)


async def test_a_file_is_looked_at_as_a_table_and_then_imported(console, open_page):
    page = await open_page("/import")
    content = "user;multi_user_aware;extension\nberta;yes;102\n"
    await choose_file(page, content)
    await page.get_by_role("button", name="Look what it would change").click()
    plan = page.locator("#import-plan")
    await expect(plan).to_contain_text("2 changes would be made")
    await expect(plan.locator("tbody tr")).to_have_count(2)
    assert console.changes("berta") == []
    await page.get_by_role("button", name="Import it").click()
    await expect(plan).to_contain_text("The file is imported")
    assert console.changes("berta")[0].who == "console:anna"
    wrong = "user;multi_user_aware;nonsense\nberta;perhaps;\n"
    await choose_file(page, wrong)
    await page.get_by_role("button", name="Look what it would change").click()
    await expect(plan).to_contain_text("1 mistake: nothing can be imported")
    assert page.mistakes == []


async def test_a_file_that_would_change_something_else_by_now_is_not_imported(console, open_page):
    page = await open_page("/import")
    await choose_file(page, "user;multi_user_aware\nberta;yes\ntech1;no\n")
    await page.get_by_role("button", name="Look what it would change").click()
    await expect(page.locator("#import-plan")).to_contain_text("2 changes would be made")
    console.directory.add_user("berta", True)
    await page.get_by_role("button", name="Import it").click()
    await expect(page.locator("#said")).to_contain_text("something else by now")
    assert console.bridge.parts.directory.find("phone-101").is_multi_user_aware


async def test_what_there_is_can_be_had_as_a_file_that_changes_nothing_when_it_is_imported(console):
    console.directory.set_group("phone-101", "Berlin, 2nd floor")
    who = await console.sign_in("anna")
    status, headers, text = await console.ask("/import/staff.csv", headers=who)
    assert (status, 'filename="staff.csv"' in headers["Content-Disposition"]) == (200, True)
    assert '"Berlin, 2nd floor"' in text
    status, _, said = await console.ask("/import/plan", "POST", text.encode(), who)
    assert (status, "All of it is there already" in json.loads(said)["put"]["import-plan"]) == (200, True)
    assert (await console.ask("/import/staff.csv", headers=await console.sign_in("otto")))[0] == 403


async def test_the_import_of_a_file_with_mistakes_changes_nothing(console):
    who = await console.sign_in("anna")
    status, _, text = await console.ask("/import", "POST", b"user\nan na\n", who)
    assert (status, "nothing was changed" in json.loads(text)["detail"]) == (409, True)
    assert (await console.ask("/import/plan", "POST", b"x" * (5 * 1024 * 1024), who))[0] == 413


async def test_the_doctors_findings_are_shown_with_the_line_to_change(console, open_page):
    page = await open_page("/health", "vera")
    await page.get_by_role("button", name="Examine now").click()
    findings = page.locator("#findings li")
    secret = findings.filter(has_text="The setting pbx.secret is empty")
    await expect(secret).to_contain_text("PHONETERM_PBX__SECRET=", timeout=30_000)  # the doctor takes some seconds
    assert await findings.first.locator(".verdict").inner_text() == "problem"
    assert page.mistakes == []


async def test_what_is_missing_is_on_every_page_as_soon_as_it_is(console, open_page):
    page = await open_page("/users")
    console.pbx.is_available = False
    console.pbx.listener.on_availability(False)
    await expect(page.locator("#status")).to_contain_text("The PBX is away")
    assert page.mistakes == []


async def test_an_admin_adds_and_changes_accounts_but_the_last_admin_stays(console, open_page):
    page = await open_page("/accounts")
    form = page.locator("form", has=page.get_by_role("button", name="Add", exact=True))
    await form.get_by_label("Name").fill("emil")
    await form.get_by_label("Role").select_option("operator")
    await form.get_by_label("Password").fill("emil's horse")
    await form.get_by_label("The same again").fill("emil's horse")
    await form.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("button", name="Remove emil")).to_be_visible()
    assert read_accounts(console.engine)["emil"].role == "operator"
    assert console.changes("emil")[0].who == "console:anna"
    await page.get_by_role("button", name="Remove anna").click()
    await page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    await expect(page.locator("#said")).to_contain_text("Nobody could administer the console then")
    assert page.mistakes == ["Failed to load resource: the server responded with a status of 409 (Conflict)"]
