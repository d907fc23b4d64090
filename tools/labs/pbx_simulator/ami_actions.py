"""The effects of AMI's actions on the simulated PBX, and their answers.

Does not read sockets. An action that Asterisk only queues takes effect after its answer, as in Asterisk.
"""

import asyncio
import re
import time
from collections.abc import Callable

from phoneterm_bridge.pbx.ami.codec import Message

from pbx_simulator.dialplan import has_context, has_number, list_lines
from pbx_simulator.exchange import Exchange
from pbx_simulator.feature_codes import FeatureCodes
from pbx_simulator.parties import Channel, Pairs

Answer = tuple[Pairs, list[Pairs]]

VERSION = "22.10.1"
ALL = "call,reporting,all"
NAMES = ("Atxfer", "BlindTransfer", "CancelAtxfer", "CoreSettings", "CoreShowChannels", "Getvar", "Hangup",
         "ListCommands", "Ping", "PlayDTMF", "Setvar")  # fmt: skip

CLASSES = {  # the write classes of which a login needs one
    **dict.fromkeys(("atxfer", "blindtransfer", "cancelatxfer", "playdtmf", "redirect", "setvar"), "call"),
    **dict.fromkeys(("coresettings", "coreshowchannels"), "system,reporting"),
    "getvar": "call,reporting", "hangup": "system,call", "showdialplan": "config,reporting",
    "dbget": "system,reporting",
}  # fmt: skip


class AmiActions:
    """The actions, by name."""

    def __init__(self, exchange: Exchange) -> None:
        """Act on this PBX."""
        self._exchange = exchange
        self._codes = FeatureCodes(exchange)
        self.can_play = True
        self._actions: dict[str, Callable[[Message], Answer]] = {
            "ping": lambda _: success(("Ping", "Pong"), ("Timestamp", f"{time.time():.6f}")),
            "coresettings": lambda _: success(("AMIversion", "11.0.0"), ("AsteriskVersion", VERSION)),
            "listcommands": self._list_commands,
            "coreshowchannels": self._show_channels,
            "getvar": self._get_variable,
            "setvar": self._set_variable,
            "playdtmf": self._play,
            "blindtransfer": self._blind_transfer,
            "atxfer": self._attended_transfer,
            "cancelatxfer": self._cancel,
            "hangup": self._hang_up,
            "redirect": self._redirect,
            "showdialplan": self._show_dialplan,
            "dbget": self._read_database,
        }

    def act(self, action: Message) -> Answer:
        """Carry out one action."""
        wrong = action.get("Action")
        known = self._actions.get(wrong.lower())
        if known is None or (known == self._play and not self.can_play):
            return error(f"Invalid/unknown command: {wrong}. Use Action: ListCommands to show available commands.")
        return known(action)

    def _list_commands(self, _: Message) -> Answer:
        names = [name for name in NAMES if name != "PlayDTMF" or self.can_play]
        return success(*((name, f"Simulated. (Priv: {ALL})") for name in names))

    def _show_channels(self, _: Message) -> Answer:
        now = time.monotonic()
        listed = [_describe(channel, now) for channel in self._exchange.parties.channels]
        return success(("EventList", "start"), ("Message", "Channels will follow"))[0], listed

    def _get_variable(self, action: Message) -> Answer:
        name, channel = action.get("Variable"), self._channel(action)
        if channel is None and action.get("Channel"):
            return error("No such channel")
        value = channel.variables.get(name, "") if channel else self._global(name)
        if called := re.fullmatch(r"([A-Z_]+)\((.*)\)", name):
            value = self._evaluate(called[1], called[2], channel)
        return success(("Variable", name), ("Value", value))

    def _global(self, name: str) -> str:
        options = self._exchange.options
        if name != "DIAL_OPTIONS" or options.dialplan != "freepbx":
            return ""
        return "HhTtr" if options.allows_transfer else "Hhr"

    def _evaluate(self, function: str, argument: str, channel: Channel | None) -> str:
        if function == "DIALPLAN_EXISTS":
            context, number, *_ = [*argument.split(","), ""]
            return "1" if has_number(context, number, self._exchange.options) else "0"
        if argument == "appname":
            return channel.application if channel else ""
        if argument == "dtmf_features":
            return "T" if channel and self._exchange.options.allows_transfer else ""
        if function == "AST_CONFIG":
            return self._read_file(argument)
        return self._exchange.code_of(channel, argument) if function in ("FEATURE", "FEATUREMAP") else ""

    def _read_file(self, argument: str) -> str:
        """Return the part of a file that the bridge asks for, if the options allow it."""
        options = self._exchange.options
        told = {
            "asterisk.conf,directories,astetcdir": "/etc/asterisk",
            "asterisk.conf,options,mindtmfduration,-1": str(options.min_dtmf_ms),
        }
        return told.get(argument, "") if options.tells_files else ""

    def _set_variable(self, action: Message) -> Answer:
        channel = self._channel(action)
        if channel is None:
            return error("No such channel")
        channel.variables[action.get("Variable")] = action.get("Value")
        return success(("Message", "Variable Set"))

    def _play(self, action: Message) -> Answer:
        channel = self._channel(action)
        if channel is None:
            return error("Channel not found")
        asyncio.get_running_loop().call_soon(self._codes.press, channel, action.get("Digit"))
        return success(("Message", "DTMF successfully queued"))

    def _blind_transfer(self, action: Message) -> Answer:
        channel = self._channel(action)
        if channel is None:
            return error("Channel specified does not exist")
        if not self._exchange.blind_transfer(channel, action.get("Exten")):
            return error("Transfer invalid")
        return success(("Message", "Transfer succeeded"))

    def _redirect(self, action: Message) -> Answer:
        channel = self._channel(action)
        if channel is None:
            return error("Channel does not exist: " + action.get("Channel"))
        asyncio.get_running_loop().call_soon(self._exchange.redirect, channel, action.get("Exten"))
        return success(("Message", "Redirect successful"))

    def _attended_transfer(self, action: Message) -> Answer:
        channel = self._channel(action)
        if channel is None:
            return error("Channel specified does not exist")
        if not self._exchange.code_of(channel, "atxfer"):
            return error("No attended transfer feature code found")
        asyncio.get_running_loop().call_soon(self._exchange.attended_transfer, channel, action.get("Exten"))
        return success(("Message", "Atxfer successfully queued"))

    def _cancel(self, action: Message) -> Answer:
        channel = self._channel(action)
        if channel is None:
            return error("Channel specified does not exist")
        for digit in self._exchange.code_of(channel, "atxferabort"):
            asyncio.get_running_loop().call_soon(self._codes.press, channel, digit)
        return success(("Message", "CancelAtxfer successfully queued"))

    def _hang_up(self, action: Message) -> Answer:
        name = action.get("Channel")
        is_pattern = len(name) > 2 and name.startswith("/") and name.endswith("/")
        channels = [
            channel
            for channel in self._exchange.parties.channels
            if (re.search(name[1:-1], channel.name) if is_pattern else channel.name == name)
        ]
        if not channels and not is_pattern:
            return error("No such channel")
        cause = action.get("Cause") or "16"
        for channel in channels:
            self._exchange.parties.emit("SoftHangupRequest", [*channel.headers(), ("Cause", cause)])
            asyncio.get_running_loop().call_soon(self._exchange.end, channel, cause)
        return success(("Message", f"Channels hungup: {len(channels)}" if is_pattern else "Channel Hungup"))

    def _show_dialplan(self, action: Message) -> Answer:
        context, number, options = action.get("Context"), action.get("Extension"), self._exchange.options
        if not has_context(context, options):
            return error(f"Did not find context {context}")
        if number and not has_number(context, number, options):
            return error(f"Did not find extension {number}@{context}")
        letters = "Tt" if options.allows_transfer else ""
        answer = success(("EventList", "start"), ("Message", "DialPlan list will follow"))[0]
        return answer, list_lines(context, number, letters, options)

    def _read_database(self, action: Message) -> Answer:
        family, key = action.get("Family"), action.get("Key")
        value = self._exchange.database.get((family, key))
        if value is None:
            return error("Database entry not found")
        answer = success(("EventList", "start"), ("Message", "Result will follow"))[0]
        return answer, [[("Event", "DBGetResponse"), ("Family", family), ("Key", key), ("Val", value)]]

    def _channel(self, action: Message) -> Channel | None:
        return self._exchange.parties.by_name(action.get("Channel"))


def success(*pairs: tuple[str, str]) -> Answer:
    """Return a successful answer without a list."""
    return [("Response", "Success"), *pairs], []


def error(message: str) -> Answer:
    """Return an error answer."""
    return [("Response", "Error"), ("Message", message)], []


def _describe(channel: Channel, now: float) -> Pairs:
    age_s = int(now - channel.born)
    return [
        ("Event", "CoreShowChannel"),
        *channel.headers(),
        ("Application", channel.application),
        ("ApplicationData", channel.application_data),
        ("Duration", f"{age_s // 3600:02}:{age_s // 60 % 60:02}:{age_s % 60:02}"),
        ("BridgeId", channel.bridge.uniqueid if channel.bridge else ""),
    ]
