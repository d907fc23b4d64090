"""The console behind Debian's nginx, with the lines of the manual: event stream, cookie, Host, who asks, from where."""

import asyncio
import http.client
import re
import socket
import ssl
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from attack_lab.scenery.waiting import until
from console.conftest import PASSWORD, ConsoleScene
from lab_parts import nginx, parts
from lab_parts.free_port import free_port
from phoneterm_bridge.broker import authority
from playwright.async_api import expect

_MANUAL = Path(__file__).parents[2] / "tools" / "phoneterm_bridge" / "README.md"
_NAME = "phones.example"


class Nginx:
    """One nginx with the manual's server, on a free port, in a folder of its own."""

    def __init__(self, folder, console_port):
        self.port = free_port()
        server, signing_in = re.findall(r"```nginx\n(.*?)```", _MANUAL.read_text(), re.DOTALL)
        self._folder, self._server = folder, self._fit(server, console_port)
        self._signing_in = signing_in.strip()

    def _fit(self, text, console_port):
        """Change only what belongs to this machine: ports and paths."""
        for old, new in (
            ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
            ("127.0.0.1:8372", f"127.0.0.1:{console_port}"),
            ("/etc/nginx/phones", "phones"),
        ):
            assert old in text
            text = text.replace(old, new)
        return text

    async def start(self, is_signing_in=False):
        self._launch(is_signing_in)
        await until(self._is_there, otherwise="nginx did not come")

    def _launch(self, is_signing_in):
        now = datetime.now(UTC)
        ca = authority.make_ca("nginx", now)
        issued = authority.sign_broker(ca, [_NAME, "127.0.0.1"], now)
        (self._folder / "phones.pem").write_bytes(issued.certificate)
        (self._folder / "phones.key").write_bytes(issued.key)
        server = self._server
        if is_signing_in:
            hashed = subprocess.run(["openssl", "passwd", "-apr1", "proxy"], capture_output=True, text=True, check=True)
            (self._folder / "people").write_text(f"vera:{hashed.stdout}mallory:{hashed.stdout}")
            (line,) = (line for line in server.splitlines() if "X-Remote-User" in line)
            server = server.replace(line, f'{self._signing_in}\nauth_basic "phones"; auth_basic_user_file people;')
        (self._folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents {{}}\n"
            f"http {{ access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; "
            f"uwsgi_temp_path u; scgi_temp_path s;\n{server}\n}}\n"
        )
        command = (nginx.find(), "-p", self._folder, "-c", "nginx.conf", "-e", "stderr")
        with (self._folder / "said").open("w") as said:
            self._process = subprocess.Popen(command, stdout=said, stderr=said)

    def _is_there(self):
        assert self._process.poll() is None, (self._folder / "said").read_text()
        with socket.socket() as there:
            return there.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, method, path, headers, body=None, source="127.0.0.1"):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=20, context=context, source_address=(source, 0)
        )
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def stop(self):
        self._process.terminate()
        self._process.wait()


@pytest_asyncio.fixture(loop_scope="session")
async def proxied(tmp_path):
    """A console with the manual's settings, and an nginx before it that is not started yet."""
    try:
        nginx.find()
    except parts.PartMissing as missing:
        pytest.skip(str(missing))
    scene = ConsoleScene(tmp_path, https=True, proxy_address="127.0.0.1", proxy_header="X-Remote-User")
    settings = scene.settings.console.model_copy(update={"names": (_NAME,)})
    scene.settings = scene.settings.model_copy(update={"console": settings})
    await scene.start()
    (tmp_path / "nginx").mkdir()
    scene.nginx = Nginx(tmp_path / "nginx", scene.port)
    yield scene
    scene.nginx.stop()
    await scene.stop()


async def test_a_browser_signs_in_changes_something_and_sees_what_happens_at_once(proxied, browser):
    await proxied.nginx.start()
    address = f"https://127.0.0.1:{proxied.nginx.port}"
    context = await browser.new_context(base_url=address, ignore_https_errors=True)
    page = await context.new_page()
    await page.goto("/sign-in?next=/users/tech1")
    await page.fill("[name=name]", "otto")
    await page.fill("[name=password]", PASSWORD)
    await page.click("text=Sign in")
    await expect(page.locator("html")).to_have_attribute("data-live", "live")
    (cookie,) = await context.cookies()
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
    await page.get_by_role("switch").click()
    await expect(page.locator("#said")).to_have_text("tech1 is not multi user aware any more.")
    proxied.directory.set_multi_user_aware("tech1", True)
    await expect(page.get_by_role("switch")).to_be_checked()  # nothing was held back on the way
    await page.close()
    await until(lambda: proxied.bridge.console.streams.count == 0)  # nginx ends what nobody reads


async def test_who_asks_is_known_by_the_clients_own_address_and_nobody_names_an_account_from_outside(proxied):
    await proxied.nginx.start()
    ask = proxied.nginx.ask
    forged = {"Host": _NAME, "X-Remote-User": "anna", "X-Forwarded-For": "192.0.2.1"}
    assert (await asyncio.to_thread(ask, "GET", "/terminals", forged))[0] == 401
    assert (await asyncio.to_thread(ask, "GET", "/sign-in", {"Host": "evil.example"}))[0] == 421
    wrong = urlencode({"name": "nobody", "password": "wrong password"})
    for _ in range(3):
        assert (await asyncio.to_thread(ask, "POST", "/sign-in", forged, wrong, "127.0.0.2"))[0] == 403
    right = urlencode({"name": "otto", "password": PASSWORD})
    assert (await asyncio.to_thread(ask, "POST", "/sign-in", forged, right, "127.0.0.2"))[0] == 429
    status, headers, _ = await asyncio.to_thread(ask, "POST", "/sign-in", forged, right, "127.0.0.3")
    assert (status, "; Secure" in headers["Set-Cookie"]) == (303, True)  # others behind the same proxy do not wait
    cookie = {"Cookie": headers["Set-Cookie"].partition(";")[0], "Host": _NAME}
    _, _, text = await asyncio.to_thread(ask, "GET", "/account", cookie | {"Accept": "text/html"})
    cookie |= {"X-CSRF-Token": re.search('name="csrf" content="([^"]+)"', text)[1], "Origin": f"https://{_NAME}"}
    change = "what=aware&on=no"
    assert (await asyncio.to_thread(ask, "POST", "/users/tech1", cookie, change, "127.0.0.3"))[0] == 200
    assert proxied.changes("tech1")[0].where == "console, from 127.0.0.3"


async def test_a_proxy_that_signs_people_in_names_the_account(proxied):
    await proxied.nginx.start(is_signing_in=True)
    ask = proxied.nginx.ask
    vera, mallory = "Basic dmVyYTpwcm94eQ==", "Basic bWFsbG9yeTpwcm94eQ=="
    headers = {"Host": _NAME, "Accept": "text/html", "X-Remote-User": "anna"}
    assert (await asyncio.to_thread(ask, "GET", "/account", headers))[0] == 401
    status, _, text = await asyncio.to_thread(ask, "GET", "/account", headers | {"Authorization": vera})
    assert (status, "Your role is viewer" in text) == (200, True)
    status, answered, _ = await asyncio.to_thread(ask, "GET", "/account", headers | {"Authorization": mallory})
    assert (status, answered["Location"]) == (303, "/sign-in?next=/account")
