"""schemathesis tries the bridge's pages against their own OpenAPI document, over real HTTP; bounded and repeatable."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from phoneterm_bridge.settings.http import HttpSettings
from phoneterm_bridge.web.document import make_document
from phoneterm_bridge.web.pages import make_app


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A bridge with pages in a thread with its own event loop; schemathesis asks from this thread."""
    from bridge import conftest as scenery

    scene = scenery.Scene(tmp_path_factory.mktemp("site"), is_embedded=True)
    scene.settings = scene.settings.model_copy(update={"http": HttpSettings(enabled=True, port=0)})
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait_for(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    async def start():
        await scene.start()
        await scenery.until(lambda: not scene.bridge.parts.health.missing())

    wait_for(start())
    yield scene
    wait_for(scene.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


_HEADS = (
    b"",
    b"GET ",
    b"GET /readyz HTTP/1.1\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: a\r\n",
    b"POST /healthz HTTP/1.1\r\n",
)


async def _scrape():
    raise NotImplementedError


@pytest.mark.timeout(400)
def test_every_answer_is_as_the_document_says(site, tmp_path):
    asking = Path(__file__).with_name("asked_by_schema.py")
    run = ("-m", "pytest", "-q", "-c", os.devnull, "--noconftest", "-p", "no:xdist")
    done = subprocess.run(
        [sys.executable, *run, "-p", "no:cacheprovider", str(asking)], cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"PAGES_URL": f"http://127.0.0.1:{site.bridge.http_port}"}, check=False, timeout=360,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    pages = sum(len(methods) for methods in make_document()["paths"].values())
    assert f"{pages} passed" in done.stdout


def test_the_running_bridge_gives_this_document_and_it_has_all_pages(site):
    with urllib.request.urlopen(f"http://127.0.0.1:{site.bridge.http_port}/openapi.json") as answer:
        document = json.load(answer)
    assert document == make_document()


def test_the_document_describes_every_page_and_its_method_but_itself():
    served = {
        (route.path, method.lower())
        for route in make_app(dict, dict, _scrape).routes
        for method in route.methods - {"HEAD"}
    }
    described = {(path, method) for path, methods in make_document()["paths"].items() for method in methods}
    assert served - described == {("/openapi.json", "get")}
    assert described <= served


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(head=st.sampled_from(_HEADS), rest=st.binary(max_size=300))
def test_bytes_of_any_kind_get_an_answer_or_none_and_harm_nothing(head, rest, site):
    port = site.bridge.http_port
    with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
        try:
            peer.sendall(head + rest + b"\r\n\r\n")
            peer.shutdown(socket.SHUT_WR)
            answer = peer.recv(65536)
        except OSError:
            answer = b""
    assert not answer or answer.startswith(b"HTTP/1.1 ")
    assert not answer.startswith(b"HTTP/1.1 5")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as healthy:
        assert healthy.status == 200
