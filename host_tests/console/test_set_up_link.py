"""`phoneterm bridge run` prints the console's one-time link while there is no account, and not any more afterwards."""

import asyncio
import http.client
import os
import re
import sys
from urllib.parse import urlencode

from console.conftest import PASSWORD

_PATIENCE_S = 30
_CLI = "from phoneterm_bridge.cli import bridge_app; bridge_app()"


class PrintingBridge:
    """The command in its own process, with a console on a port of its choice; its standard output is read."""

    def __init__(self, folder):
        settings = ("console.enabled=true", "console.port=0", "broker.port=0", f"store.path={folder / 'bridge.db'}")
        self._argv = ("-c", _CLI, "run", *(f"--set={one}" for one in settings))

    async def __aenter__(self):
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self._argv, env=os.environ | {"PHONETERM_PBX__SECRET": "x"},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return self

    async def __aexit__(self, *_):
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()

    async def said(self, pattern, stream="stdout"):
        """Return the match of the first line that has this."""
        async with asyncio.timeout(_PATIENCE_S):
            while line := (await getattr(self._process, stream).readline()).decode():
                if found := re.search(pattern, line):
                    return found
        raise AssertionError(f"{pattern} was not printed")

    async def stop(self):
        """End it as systemd does; return what else it printed."""
        self._process.terminate()
        return (await self._process.communicate())[0].decode()


async def test_the_link_is_printed_until_somebody_has_made_the_first_account(tmp_path):
    async with PrintingBridge(tmp_path) as bridge:
        link = (
            await bridge.said(r"This link makes the first one, once: (http://127\.0\.0\.1:(\d+)(/setup/\S+))")
        ).groups()
        form = urlencode({"name": "anna", "password": PASSWORD, "again": PASSWORD})

        def make_account():
            connection = http.client.HTTPConnection("127.0.0.1", int(link[1]), timeout=20)
            connection.request("POST", link[2], form)
            status = connection.getresponse().status
            connection.close()
            return status

        assert await asyncio.to_thread(make_account) == 303
        await bridge.stop()
    async with PrintingBridge(tmp_path) as bridge:
        await bridge.said("bridge-runs", "stderr")  # which comes after the link
        assert "setup" not in await bridge.stop()
