"""The PBX process: the simulator with a call for each terminal; it notes the time of each request for a transfer.

Does not decide or judge. Without `--moving` the simulator answers a transfer, but the call stays, so that the terminal
can go on at once. With it the call is really transferred, with all its events, and the terminal gets a new one. The
process prints its port and the channels in one JSON line, and answers each JSON object on standard input. On `watch` it
also listens to the broker; on anything else it reports the requests and commands since the last report. Run by `scene`.
"""

import argparse
import asyncio
import json
import sys
import time

from pbx_lab.lab import LabOptions
from pbx_simulator.ami_actions import AmiActions, Answer, error, success
from pbx_simulator.ami_server import AmiServer
from pbx_simulator.exchange import Exchange
from pbx_simulator.parties import Channel, Pairs
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.settings import AmiSettings

from bridge_lab.command_watch import CommandWatch

CALLER = "0301234567"


class BusyPbx:
    """A simulator whose calls do not end. asked: (ns, number) of each transfer of an endpoint."""

    def __init__(self, username: str, secret: str, is_moving: bool) -> None:
        self.asked: dict[str, list[tuple[int, str]]] = {}
        self._is_moving = is_moving
        self._exchange = Exchange(LabOptions(), self._emit)
        self._exchange.behaviours.update({str(number): "answer" for number in range(100, 200)})
        self._actions = AmiActions(self._exchange)
        self.server = AmiServer([AmiSettings("127.0.0.1", 0, username, secret)], self._act)
        self._channels: dict[str, Channel] = {}

    def place_call(self, endpoint: str) -> None:
        """Give an endpoint a call with somebody outside."""
        channel = self._exchange.place_call(endpoint, CALLER)
        self._channels[channel.name] = channel

    def channels(self) -> dict[str, str]:
        """Return the name of each endpoint's channel."""
        return {channel.endpoint: name for name, channel in self._channels.items()}

    def _act(self, action: Message) -> Answer:
        if action.get("Action") != "BlindTransfer":
            return self._actions.act(action)
        channel = self._channels.get(action.get("Channel"))
        if channel is None:
            return error("Channel specified does not exist")
        self.asked.setdefault(channel.endpoint, []).append((time.monotonic_ns(), action.get("Exten")))
        if not self._is_moving:
            return success(("Message", "Transfer succeeded"))
        del self._channels[channel.name]
        bridge = channel.bridge
        caller = next((one for one in bridge.members if one is not channel), None) if bridge else None
        answer = self._actions.act(action)
        asyncio.get_running_loop().call_later(0.005, self._begin_anew, channel.endpoint, caller)
        return answer

    def _begin_anew(self, endpoint: str, caller: Channel | None) -> None:
        if caller is not None:
            self._exchange.hang_up(caller)
        self.place_call(endpoint)

    def _emit(self, name: str, pairs: Pairs) -> None:
        self.server.emit(name, pairs)


async def _run(pbx: BusyPbx, endpoints: range) -> None:
    for endpoint in endpoints:
        pbx.place_call(str(endpoint))
    await asyncio.sleep(0)
    print(json.dumps({"port": await pbx.server.start(), "channels": pbx.channels()}), flush=True)
    watch = CommandWatch()
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        if order.pop("do") == "watch":
            await watch.start(**order)
        asked, pbx.asked = pbx.asked, {}
        heard, watch.heard = watch.heard, {}
        print(json.dumps({"asked": asked, "heard": heard}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--username", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--moving", action="store_true")
    chosen = parser.parse_args()
    asyncio.run(
        _run(BusyPbx(chosen.username, chosen.secret, chosen.moving), range(chosen.first, chosen.first + chosen.count))
    )
