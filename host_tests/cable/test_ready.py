"""A terminal's log after its start, judged line by line.

The lines of the chip's own boot loader are from its documentation; no board of ours has printed them yet.
"""

import pytest
from device_cable.ready import BARE, CRASHED, NOT_SET_UP, READY, SAFE_MODE, SILENT, UNCONNECTED, Listener

BOOT_LOADER = """
ets Jul 29 2019 12:21:46

rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)
configsip: 0, SPIWP:0xee
clk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00
mode:DIO, clock div:2
load:0x3fff0030,len:4892
entry 0x400805dc
"""
GARBAGE = "\ufffd\ufffd~x\ufffd"  # the boot loader of older chips begins at another speed


def outcome_of(text):
    """Return the outcome after these lines, and whether it was clear before their end."""
    listener = Listener()
    for line in (BOOT_LOADER + GARBAGE + "\n" + text).splitlines():
        outcome = listener.hear(line)
        if outcome:
            return outcome
    return listener.at_end(30)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("wifi-up joined\nlink-up connection 1\nready for keys", READY, "its bridge and the PBX are there"),
        ("trouble no-wifi (11): The network.\nlink-up connection 1\nready for keys", READY, "ready"),
        ("wifi-up joined\nlink-up connection 1", UNCONNECTED, "it has reached its broker and waits for the bridge."),
        ("link-up connection 1\ntrouble no-pbx (33): The PBX.", UNCONNECTED, "trouble: no-pbx (33): The PBX."),
        ("link-refused x\ntrouble no-tls (24): TLS.\nlink-refused y", UNCONNECTED, "trouble: no-tls (24): TLS."),
        ("trouble no-wifi (11): Name.\nwifi-up joined\nlink-lost ECONNRESET", UNCONNECTED, "link-lost: ECONNRESET."),
        ("The setting wifi_ssid is missing: provision this terminal.", NOT_SET_UP, "make provision"),
        ("The setting mqtt_port must be a number from 1 to 65535.", UNCONNECTED, "mqtt_port must be a number"),
        ("wifi-failed the network was not found", UNCONNECTED, "wifi-failed: the network was not found"),
        ("wifi-up joined\nlink-refused broker refused: user name or password", UNCONNECTED, "user name or password"),
        ("wifi-up joined", UNCONNECTED, "it has joined its Wi-Fi and waits for its broker"),
        ("safe mode: 3 crashes in a row", SAFE_MODE, "is in safe mode: 3 crashes in a row; make logs"),
        ("safe mode: boot.py is missing\nThe setting tid is missing", SAFE_MODE, "boot.py is missing"),
        (
            'Traceback (most recent call last):\n  File "main.py", line 25, in <module>\nMemoryError: ',
            CRASHED,
            "MemoryError",
        ),
        ("MicroPython v1.27.0 on 2025-12-09; Generic ESP32 module with ESP32", BARE, "make flash BOARD= PORT="),
        ("", SILENT, "did not report its state within 30 s"),
    ],
)
def test_every_way_a_start_can_go_has_its_sentence(text, kind, words):
    outcome = outcome_of(text)
    assert outcome.kind == kind
    assert words in outcome.sentence
    assert outcome.is_good == (kind in (READY, NOT_SET_UP))


def test_a_terminal_that_starts_again_and_again_is_told_with_the_chips_reason():
    outcome = outcome_of(BOOT_LOADER * 8)
    assert outcome.kind == CRASHED
    assert "starts again and again (rst:0xc (SW_CPU_RESET)" in outcome.sentence
