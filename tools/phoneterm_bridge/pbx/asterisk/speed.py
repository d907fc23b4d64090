"""How fast an Asterisk starts an attended transfer, and which lines of its configuration would make it faster.

Does not ask Asterisk anything and changes nothing: `AsteriskPbx.features` has what was found, and `make bench-pbx`
measures each way. The bridge always takes the fastest available way; these lines only make a faster one available.
"""

from dataclasses import dataclass

from phoneterm_bridge.pbx.asterisk.features import FIRST_VERSION_WITH_TRANSFER_EXTEN, Features

# From the fastest to the slowest; with the last one there are no attended transfers at all.
ONE_LETTER = "one-letter code"
LONGER_CODE = "longer code"
EVERY_DIGIT = "code and every digit"
NO_WAY = "no way"

FASTEST_MIN_DTMF_MS = 20


@dataclass(frozen=True)
class ConfigLine:
    """A line to set in a section of one of Asterisk's files, and its purpose."""

    file: str
    section: str
    line: str
    why: str

    def __str__(self) -> str:
        """Return the line with its file and section."""
        return f"{self.file} [{self.section}] {self.line}"


@dataclass(frozen=True)
class StartSpeed:
    """way: how a transfer starts now, one of the words above. faster_with: lines that would make it faster, if any."""

    way: str
    faster_with: tuple[ConfigLine, ...]


def speed_of(features: Features) -> StartSpeed:
    """Return what the features of an Asterisk mean for the start of a transfer; unknown features are left out."""
    lines = [_code_line("featuremap", "atxfer", "D", "one tone starts a transfer")] * (len(features.atxfer) != 1)
    if len(features.abort) != 1:
        lines.append(_code_line("general", "atxferabort", "A", "one tone brings the caller back"))
    if len(features.swap) != 1:
        lines.append(_code_line("general", "atxferswap", "B", "one tone swaps caller and colleague"))
    if not features.can_play and not features.lacks:  # else it is there, perhaps, and may not be used either
        why = "with PlayDTMF one feature code starts a transfer, without it every digit is played"
        lines.append(ConfigLine("modules.conf", "modules", "load = app_senddtmf.so", why))
    if features.min_dtmf_ms is not None and features.min_dtmf_ms > FASTEST_MIN_DTMF_MS:
        why = f"each tone takes {features.min_dtmf_ms} ms at present"
        lines.append(ConfigLine("asterisk.conf", "options", f"mindtmfduration = {FASTEST_MIN_DTMF_MS}", why))
    return StartSpeed(_way_of(features), tuple(lines))


def _way_of(features: Features) -> str:
    if not features.atxfer:
        return NO_WAY
    if not features.can_play or features.version < FIRST_VERSION_WITH_TRANSFER_EXTEN:
        return EVERY_DIGIT
    return ONE_LETTER if len(features.atxfer) == 1 else LONGER_CODE


def _code_line(section: str, name: str, letter: str, why: str) -> ConfigLine:
    return ConfigLine("features.conf", section, f"{name} = {letter}", why)
