"""Says which boards have too little memory for a terminal with TLS, and what to do then.

Does not measure. On an emulated ESP32 with MicroPython 1.27, with the firmware copied as files, a terminal without TLS
leaves 34.1 KB to Wi-Fi and ESP-IDF (23.5 at the lowest) and works. With TLS it connects once, falls to 1.0 KB, and
gives up its link again and again. The chips named here have no more memory than that one.
"""

from device_cable.board import Board
from device_cable.problem import CableProblem

_MOST_CHARS_SHOWN = 30
_SMALL = ("esp32", "esp32c2", "esp32c3", "esp32s2")


def check_memory(board: Board, name: str, tls: str | None) -> None:
    """Refuse TLS where it cannot work; `tls` is the terminal's setting, None when it has none yet."""
    if tls not in (None, "off", "ca", "psk"):
        raise CableProblem(
            f"The settings of the board say tls = {ascii(tls)[1:-1][:_MOST_CHARS_SHOWN]}, which is none of off, ca and "
            "psk: make wipe PORT= erases them, then make flash and make provision."
        )
    if tls in (None, "off") or board.mcu not in _SMALL or board.has_psram or board.frozen_version is not None:
        return
    frozen = (
        f"Write an image with the firmware frozen in (make image BOARD={name}; make flash BOARD={name} "
        f"IMAGE=build/image/{name}.bin)"
    )
    if tls == "psk":
        frozen = (
            "The image of make image has no TLS-PSK: write it and let the broker show a certificate (broker.ca_path in "
            "place of broker.psk_port)"
        )
    raise CableProblem(
        f"A terminal with TLS (tls = {tls}) does not fit into the memory of this board ({board.machine}) beside a "
        f"firmware of copied files: it would lose its broker again and again. {frozen}, or take a board with an "
        "ESP32-S3 or with PSRAM and the MicroPython that uses it, or do without TLS in a network of its own "
        "(broker.allow_plain and no certificate, then make provision)."
    )


PLAIN = (
    "It talks to its broker without TLS: commands and answers are signed, but whoever can listen in its network reads "
    "who transfers where, and the broker's password. Give it a network of its own."
)
