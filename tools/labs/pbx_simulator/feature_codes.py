"""Feature codes of the simulated PBX: collects the tones of a phone and carries out a complete code.

Does not transfer anything itself; `exchange` and its consultations do. Tones that are no code, and all tones of
somebody who may not transfer, go on to the other party. As in Asterisk, the code that starts a transfer is the one from
when the channel came into its bridge, and the codes of a transfer are those from its start.
"""

from pbx_simulator.exchange import Exchange
from pbx_simulator.parties import Channel


class FeatureCodes:
    """The tones every channel has sent so far."""

    def __init__(self, exchange: Exchange) -> None:
        """No tone has come yet."""
        self._exchange = exchange
        self._collected: dict[str, str] = {}

    def press(self, channel: Channel, digit: str) -> None:
        """Take one tone."""
        self._send_dtmf_event("Received", channel, digit)
        collected = self._collected.pop(channel.uniqueid, "") + digit
        codes = self._codes_for(channel)
        for name, code in codes.items():
            if code == collected:
                self._carry_out(name, channel)
                return
        if any(code.startswith(collected) for code in codes.values()):
            self._collected[channel.uniqueid] = collected
            return
        for member in channel.bridge.members if channel.bridge else ():
            for tone in collected if member is not channel else "":
                self._send_dtmf_event("Sent", member, tone)

    def _codes_for(self, channel: Channel) -> dict[str, str]:
        consultation = self._exchange.consultation_of(channel)
        if not self._exchange.options.allows_transfer or (consultation and channel is not consultation.transferrer):
            return {}
        return consultation.codes if consultation else {"atxfer": channel.start_code}

    def _send_dtmf_event(self, direction: str, channel: Channel, digit: str) -> None:
        for name in ("DTMFBegin", "DTMFEnd"):
            pairs = [*channel.headers(), ("Digit", digit), ("Direction", direction)]
            self._exchange.parties.emit(name, pairs)

    def _carry_out(self, name: str, channel: Channel) -> None:
        consultation = self._exchange.consultation_of(channel)
        if consultation is None:
            self._exchange.attended_transfer(channel, channel.variables.get("TRANSFER_EXTEN", ""))
        elif name == "atxferabort":
            consultation.abort()
        elif name == "atxferswap":
            consultation.swap()
        elif name == "atxferthreeway":
            consultation.join_all()
        else:
            consultation.transferrer_gone()
