"""A proxy in an AMI connection: counts the actions, and cuts or silences the connection at one of them.

Does not change the data.
"""

import asyncio
import contextlib
import dataclasses

from phoneterm_bridge.pbx.ami.codec import Decoder, encode


class AmiProxy:
    """Between a backend and the PBX of `settings`; the backend uses `ami`."""

    def __init__(self, settings):
        self._to = settings
        self.actions = []
        self._cut_at = None
        self._is_passed_on = True
        self._is_accepting = True
        self._swallowed = None
        self._stop_reading_at = None
        self._is_reading = asyncio.Event()
        self._is_reading.set()
        self._writers = set()
        self._tasks = set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.ami = dataclasses.replace(self._to, port=self.server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_):
        self.server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_at(self, action, is_passed_on):
        """Cut the connection at the next action of this name, after or instead of passing it on."""
        self._cut_at = action
        self._is_passed_on = is_passed_on

    def swallow(self, action):
        """Answer the next action of this name as if it had worked, without passing it on."""
        self._swallowed = action

    def cut(self):
        """Cut every connection now."""
        self._is_reading.set()
        for writer in tuple(self._writers):
            writer.close()

    def refuse(self):
        """Cut every connection, and any new one at once, until `accept`."""
        self._is_accepting = False
        self.cut()

    def accept(self):
        """Accept connections again."""
        self._is_accepting = True

    async def serve(self, reader, writer):
        """Join one connection with one to the PBX."""
        if not self._is_accepting:
            writer.close()
            return
        pbx_reader, pbx_writer = await asyncio.open_connection(self._to.host, self._to.port)
        both = {writer, pbx_writer}
        self._writers |= both
        tasks = {
            asyncio.create_task(self.pass_actions(reader, pbx_writer, writer)),
            asyncio.create_task(self._pass_answers(pbx_reader, writer)),
        }
        self._tasks |= tasks
        await asyncio.wait(tasks)
        self._writers -= both

    async def pass_actions(self, reader, writer, back):
        """Pass on what the backend asks, until it ends."""
        decoder = Decoder()
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                asked = decoder.feed(data)
                names = [action.get("Action") for action in asked]
                self.actions += names
                if self._swallowed in names:
                    (action,) = asked  # the one that is waited for
                    self._swallowed = None
                    back.write(encode([("Response", "Success"), ("ActionID", action.get("ActionID"))]))
                    continue
                if self._stop_reading_at in names:
                    self.stop_reading()
                is_cut = self._cut_at in names
                if not is_cut or self._is_passed_on:
                    writer.write(data)
                    await writer.drain()
                if is_cut:
                    self._cut_at = None
                    self.cut()
        writer.close()

    def stop_reading(self):
        """Stop reading the PBX's output until the connection is cut, like a reader that is far too slow."""
        self._is_reading.clear()

    def stop_reading_at(self, action):
        """The same from the next action of this name on; the action still reaches the PBX."""
        self._stop_reading_at = action

    async def _pass_answers(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._is_reading.wait()
                if not writer.is_closing():
                    writer.write(data)
        writer.close()
