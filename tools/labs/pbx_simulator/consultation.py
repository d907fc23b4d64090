"""Asterisk's attended transfer, simulated: the same steps in the same order, with the same events.

Does not read feature codes (`exchange` does). The transferrer has a home bridge with the callers and a second bridge
with the target, which is half 1 of a Local channel. states: "ringing", "consulting", "left" (the transferrer hung up
before the answer), "lost" (it rang in vain after that) and "over". Source: dialogues of Asterisk 22 recorded in the
lab.
"""

import asyncio
from typing import Protocol

from pbx_lab.lab import LabOptions

from pbx_simulator.parties import Bridge, Channel, Parties

_CODES = ("atxferabort", "atxfercomplete", "atxferswap", "atxferthreeway")


class Surroundings(Protocol):
    """What a transfer needs from its PBX; see `exchange.Exchange`."""

    options: LabOptions
    parties: Parties

    def code_of(self, channel: Channel | None, name: str) -> str:
        """Return a feature's code, or its time-out, of a channel as it is now."""

    def run(self, channel: Channel, number: str) -> None:
        """Let a channel run through the dialplan."""

    def end(self, channel: Channel, cause: str) -> None:
        """End a channel, with all consequences."""

    def optimise(self, target: Channel) -> None:
        """Remove a Local channel from between two bridges."""

    def call_back(self, endpoint: str, caller: Channel, home: Bridge) -> None:
        """Ring a transferrer again."""


class Consultation:
    """One attended transfer."""

    def __init__(self, exchange: Surroundings, transferrer: Channel, number: str) -> None:
        """Prepare the path to the number; the transferrer must be in a bridge."""
        if transferrer.bridge is None:
            raise ValueError(f"{transferrer.name} is in no bridge")
        self.state = "ringing"
        self.transferrer = transferrer
        self.codes = {name: exchange.code_of(transferrer, name) for name in _CODES}
        self._no_answer_s = float(exchange.code_of(transferrer, "atxfernoanswertimeout"))
        self.home = transferrer.bridge
        self.callers = [member for member in self.home.members if member is not transferrer]
        self._exchange = exchange
        self._parties = exchange.parties
        self._timer: asyncio.TimerHandle | None = None
        self._parties.emit("Hold", transferrer.headers())
        self.target = self._parties.add_local(number, transferrer.number, transferrer.linkedid)
        self.second = self._parties.new_bridge()

    def start(self) -> None:
        """Put the callers on hold and call the number."""
        user, number = self.transferrer, self.target.extension
        self._parties.enter(self.target, self.second)
        self._music(True)
        self._parties.enter(user, self.second)
        self._parties.connect_line(user, number)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._no_answer_s, self._time_out)
        if self.target.other_half is not None:
            loop.call_soon(self._exchange.run, self.target.other_half, number)

    def concerns(self, channel: Channel) -> bool:
        """Say whether this channel is part of the transfer."""
        return channel in (self.transferrer, self.target, *self.callers)

    def target_answered(self) -> None:
        """The target is up."""
        self.stop_timer()
        if self.state == "ringing":
            self.state = "consulting"
        elif self.state == "left":
            self._finish_transferrer()
            asyncio.get_running_loop().call_soon(self._exchange.optimise, self.target)

    def target_gone(self, cause: str) -> None:
        """The target is gone (already out of its bridge): go back home, or call back a transferrer who has left."""
        if self.state == "lost":
            return
        self.stop_timer()
        if self.state == "left":
            self._after_failure()
        elif self.state != "over":
            self._go_home()
            self._parties.destroy(self.second)

    def _time_out(self) -> None:
        """Nobody has answered in time.

        Once the transferrer has left, Asterisk often takes its own hang-up of the target for one of the transferrer's
        phone; then it calls the target once more, with a pause before and after. Here it always does.
        """
        if self.state != "left":
            self.abort()
        elif not self._exchange.options.drops_unanswered:
            self.state = "lost"
            self._exchange.end(self.target, "16")
            rest_s = self._no_answer_s + 2 * self._exchange.options.callback_delay_s
            self._timer = asyncio.get_running_loop().call_later(rest_s, self._after_failure)

    def abort(self) -> None:
        """Release the target and go back to the callers."""
        if self.state not in ("ringing", "consulting"):
            return
        self.stop_timer()
        self._go_home()
        self._parties.leave(self.target)
        self._parties.destroy(self.second)
        self._exchange.end(self.target, "16")

    def swap(self) -> None:
        """Talk to the other side."""
        if self.state != "consulting":
            return
        user = self.transferrer
        goes_home = user.bridge is self.second
        self._parties.emit("Hold", user.headers())
        self._parties.enter(user, self.home if goes_home else self.second)
        self._music(not goes_home)
        self._parties.play_music(self.target, goes_home)
        self._parties.connect_line(user, self.callers[0].number if goes_home else self.target.number)
        self._parties.emit("Unhold", user.headers())

    def join_all(self) -> None:
        """Make it a call of three."""
        if self.state != "consulting":
            return
        self.state = "over"
        self._parties.play_music(self.target, False)
        self._parties.enter(self.target, self.home)
        if self.transferrer.bridge is not self.home:
            self._parties.enter(self.transferrer, self.home)
        self._music(False)
        self._announce("Success", "Threeway")
        self._parties.destroy(self.second)
        asyncio.get_running_loop().call_soon(self._exchange.optimise, self.target)

    def transferrer_gone(self) -> None:
        """The transferrer hung up, or asked to complete: callers and target now share the home bridge."""
        is_answered = self.state == "consulting"
        self._parties.leave(self.transferrer)
        self._parties.play_music(self.target, False)
        self._parties.enter(self.target, self.home)
        self._music(False)
        self._announce("Success", "Bridge")
        if is_answered:
            self._finish_transferrer()
            asyncio.get_running_loop().call_soon(self._exchange.optimise, self.target)
        else:
            self.state = "left"  # Asterisk keeps the transferrer's channel until it knows how it ends

    def caller_gone(self, caller: Channel) -> None:
        """A caller hung up while waiting; the last one ends the transfer."""
        self._parties.remove(caller, "16")
        self.caller_left(caller)

    def caller_left(self, caller: Channel) -> None:
        """A caller has hung up, or was taken elsewhere."""
        self.callers.remove(caller)
        if self.callers:
            return
        self.stop_timer()
        is_answered, self.state = self.state == "consulting", "over"
        if is_answered:
            self._parties.destroy(self.home)
            asyncio.get_running_loop().call_soon(self._exchange.optimise, self.target)
            return
        self._announce("Fail", "Fail")
        self._exchange.end(self.target, "16")
        self._parties.remove(self.transferrer, "16")

    def _go_home(self) -> None:
        self.state = "over"
        if self.transferrer.bridge is not self.home:
            self._parties.enter(self.transferrer, self.home)
        self._music(False)
        self._parties.emit("Unhold", self.transferrer.headers())
        self._parties.connect_line(self.transferrer, self.callers[0].number)

    def _finish_transferrer(self) -> None:
        self.state = "over"
        self._parties.destroy(self.second)
        self._parties.remove(self.transferrer, "16")

    def _after_failure(self) -> None:
        """Drop the callers, or ring the transferrer again; if that fails the callers are dropped too."""
        user, options = self.transferrer, self._exchange.options
        self._finish_transferrer()
        if options.drops_unanswered:
            for caller in self.callers:
                self._exchange.end(caller, "16")
        else:
            self._exchange.call_back(user.endpoint, self.callers[0], self.home)

    def _music(self, is_on: bool) -> None:
        for caller in self.callers:
            self._parties.play_music(caller, is_on)

    def _announce(self, result: str, destination: str) -> None:
        user = self.transferrer
        pairs = [("Result", result), *user.headers("OrigTransferer"), ("OrigBridgeUniqueid", self.home.uniqueid)]
        pairs += [*user.headers("SecondTransferer"), ("SecondBridgeUniqueid", self.second.uniqueid)]
        pairs += [*self.target.headers("TransferTarget"), ("DestType", destination)]
        if result == "Success":
            pairs += [*self.callers[0].headers("Transferee"), ("DestBridgeUniqueid", self.home.uniqueid)]
        self._parties.emit("AttendedTransfer", pairs)

    def stop_timer(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
