"""Feature codes of the simulated PBX: collects the tones of a phone and carries out a code that is complete.

Does not transfer anything itself; `exchange` and its consultations do.
"""

from pbx_simulator.exchange import Exchange
from pbx_simulator.parties import Channel

CODES = {
    "letters": {"atxfer": "D", "atxferabort": "A", "atxfercomplete": "C", "atxferswap": "B"},
    "stock": {"atxfer": "*2", "atxferabort": "*1", "atxfercomplete": "*2", "atxferswap": "*4"},
    "none": {"atxfer": "", "atxferabort": "*1", "atxfercomplete": "*2", "atxferswap": "*4"},
}


class FeatureCodes:
    """The tones every channel has sent so far."""

    def __init__(self, exchange: Exchange) -> None:
        """Use the codes of the exchange's options."""
        self.codes = CODES[exchange.options.codes]
        self._exchange = exchange
        self._collected: dict[str, str] = {}

    def take(self, channel: Channel, digit: str) -> None:
        """Take one tone."""
        collected = self._collected.pop(channel.uniqueid, "") + digit
        consultation = self._exchange.consultation_of(channel)
        if consultation is not None and channel is not consultation.transferrer:
            return
        names = ("atxferabort", "atxfercomplete", "atxferswap") if consultation else ("atxfer",)
        for name in names:
            if self.codes[name] == collected:
                self._carry_out(name, channel)
            elif self.codes[name].startswith(collected):
                self._collected[channel.uniqueid] = collected

    def _carry_out(self, name: str, channel: Channel) -> None:
        consultation = self._exchange.consultation_of(channel)
        if consultation is None:
            self._exchange.attended_transfer(channel, channel.variables.get("TRANSFER_EXTEN", ""))
        elif name == "atxferabort":
            consultation.abort()
        elif name == "atxferswap":
            consultation.swap()
        else:
            consultation.transferrer_gone()
