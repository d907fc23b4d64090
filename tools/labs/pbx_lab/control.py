"""Lets another shell drive a running lab: JSON lines over loopback TCP, a request and its answer.

Does not start a lab. The first line is the token (`lab_parts.control_token`); without it there is no answer. Request
{"do": "call", "with": ["103", "101"]}; answer {"said": ["..."]} or {"error": "..."}. The answer to a bad request says
what is wrong.
"""

import asyncio
import contextlib
import json

from lab_parts.control_token import ControlToken, read_token

from pbx_lab.lab import BEHAVIOURS, ENDPOINTS, Leg, PbxLab
from pbx_lab.process import LabFailed

DEFAULT_PORT = 47101
MOST_BYTES = 64 * 1024
ANSWER_S = 15.0


class LabControl:
    """The running lab's end."""

    def __init__(self, lab: PbxLab) -> None:
        """Nothing listens yet."""
        self._lab = lab
        self._server: asyncio.Server | None = None
        self._token: ControlToken | None = None

    async def start(self, port: int) -> int:
        """Listen on this port of 127.0.0.1 (0: any free one) and return it; LabFailed when it is taken."""
        try:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=MOST_BYTES)
        except OSError:
            raise LabFailed(f"port {port} is already in use: choose another one with --port.") from None
        found = int(self._server.sockets[0].getsockname()[1])
        self._token = ControlToken(found)
        return found

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._token is not None:
            self._token.remove()
            self._token = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: a line that is too long
            is_admitted = self._token is not None and await self._token.admits(reader)
            while is_admitted and (line := await reader.readline()):
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, object]:
        try:
            request = json.loads(line)
            return {"said": await self.carry_out(str(request["do"]), [str(word) for word in request["with"]])}
        except LabFailed as failed:
            return {"error": str(failed)}
        except (ValueError, TypeError, KeyError) as wrong:
            return {"error": f"this request cannot be carried out: {wrong}"}

    async def carry_out(self, word: str, arguments: list[str]) -> list[str]:
        """Carry out one request and return the lines to show; LabFailed or ValueError say what is wrong with it."""
        match word, arguments:
            case "legs", []:
                return [show(leg) for leg in await self._lab.legs()] or ["no calls"]
            case "call", [caller, number]:
                await self._lab.place_call(_phone(caller), number)
            case "hangup", [phone]:
                await self._lab.hang_up(_phone(phone))
            case "answer", [phone]:
                await self._lab.answer(_phone(phone))
            case "behave", [phone, behaviour]:
                if behaviour not in BEHAVIOURS:
                    raise LabFailed(f"a phone can {', '.join(BEHAVIOURS)}, but not {behaviour!r}.")
                await self._lab.set_behaviour(_phone(phone), behaviour)
            case _:
                raise LabFailed(f"there is no request {word!r} with {len(arguments)} words.")
        return [show(leg) for leg in await self._lab.legs()] or ["no calls"]


def show(leg: Leg) -> str:
    """Return one leg as a line for people."""
    words = [leg.endpoint, leg.state]
    if leg.connected_to:
        words.append(f"with {leg.connected_to}")
    if leg.is_on_hold:
        words.append("(hears hold music)")
    return " ".join(words)


async def ask_lab(port: int, word: str, *arguments: str) -> list[str]:
    """Ask a running lab and return the lines of its answer; LabFailed when it refuses or is not there."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            token = read_token(port)
            if token is None:
                writer.close()
                raise LabFailed(f"what listens on port {port} is not a lab that this user has started.")
            writer.write(token + json.dumps({"do": word, "with": arguments}).encode() + b"\n")
            answer = json.loads(await reader.readline())
            writer.close()
    except (OSError, TimeoutError, ValueError):
        raise LabFailed(f"no lab answers on port {port}: start one with 'phoneterm lab up'.") from None
    if "error" in answer:
        raise LabFailed(answer["error"])
    return list(answer["said"])


def _phone(name: str) -> str:
    if name not in ENDPOINTS:
        raise LabFailed(f"there is no phone {name!r}: the lab has {', '.join(ENDPOINTS)}.")
    return name
