"""Starts a real mosquitto on a free port of 127.0.0.1, with the users and access rules that the caller gives.

Does not connect to it. It can be stopped and started again on the same port; passwords are hashed as
mosquitto_passwd does. It sends without delay (`set_tcp_nodelay`), as every broker of a phone terminal should.
"""

import asyncio
import base64
import hashlib
import os
import shutil
from asyncio.subprocess import Process
from collections.abc import Iterable

from lab_parts.free_port import free_port
from lab_parts.parts import Part

PATIENCE_S = 5.0
_ROUNDS = 101  # mosquitto_passwd's own number


class Mosquitto:
    """One broker of its own. `files` are options that name a file, with the file's content; `options` more lines."""

    def __init__(
        self,
        part: Part,
        users: dict[str, str],
        access: str = "",
        files: dict[str, bytes] | None = None,
        options: Iterable[str] = (),
    ) -> None:
        self._part = part
        self._folder = part.make_folder()
        self._process: Process | None = None
        self.port = free_port()
        contents = {"password_file": _password_lines(users).encode(), **(files or {})}
        if access:
            contents["acl_file"] = access.encode()
        lines = [
            f"listener {self.port} 127.0.0.1", "allow_anonymous false", "set_tcp_nodelay true", "user root",
            "persistence false", "log_dest none",
            *(f"{name} {self._write(name, content)}" for name, content in contents.items()), *options,
        ]  # fmt: skip
        self._config = self._write("mosquitto.conf", "\n".join(lines).encode() + b"\n")

    async def start(self) -> None:
        """Start it and return once it listens; ConnectionError when it never does."""
        self._process = await asyncio.create_subprocess_exec(
            *self._part.argv, "-c", self._config, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        deadline_s = asyncio.get_running_loop().time() + PATIENCE_S
        while not await _is_listening(self.port):
            if self._process.returncode is not None or asyncio.get_running_loop().time() > deadline_s:
                raise ConnectionError(f"mosquitto does not listen on port {self.port} of 127.0.0.1")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Kill it: connections end without a goodbye."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def remove(self) -> None:
        """Stop it for good and remove its files."""
        await self.stop()
        shutil.rmtree(self._folder)

    def _write(self, name: str, content: bytes) -> str:
        path = self._folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return self._part.inside(path)


async def _is_listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _password_lines(users: dict[str, str]) -> str:
    lines = []
    for name, password in users.items():
        salt = os.urandom(12)
        digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
        lines.append(f"{name}:$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n")
    return "".join(lines)
