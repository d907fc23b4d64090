"""The ESP32's `network.WLAN` as far as the firmware uses it; the access point is played by the host.

Does not carry traffic: sockets are the computer's own and stay open while the access point is down, which only the
status tells.
Status numbers are those of the ESP32 port.
"""

import time

from host_link import link

STA_IF = 0
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_BEACON_TIMEOUT = 200
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202


class WLAN:
    """The station interface."""

    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __init__(self, interface_id=STA_IF):
        if interface_id != STA_IF:
            raise ValueError("this chip has a station interface only")
        self._is_active = False

    def active(self, is_active=None):
        """Switch the interface, or say whether it is on."""
        if is_active is None:
            return self._is_active
        if self._is_active and not is_active:
            self.disconnect()
        self._is_active = bool(is_active)
        return self._is_active

    def connect(self, ssid=None, key=None):
        """Begin to join an access point; the chip goes on trying by itself."""
        if not self._is_active:
            raise OSError("Wifi Not Started")
        link.wifi_status = STAT_CONNECTING
        link.send("C%s\t%s\n" % (ssid or "", key or ""))

    def disconnect(self):
        """Leave the access point and stop trying."""
        link.wifi_status = STAT_IDLE
        link.send("Q\n")

    def isconnected(self):
        """Say whether the interface has an address."""
        return self.status() == STAT_GOT_IP

    def status(self, param=None):
        """Return a STAT number, or the signal strength in dBm for "rssi"."""
        if link.polled_ms != time.ticks_ms():
            link.poll()
        if param == "rssi":
            return -50
        return link.wifi_status

    def ifconfig(self):
        """Return (address, netmask, gateway, name server)."""
        if self.isconnected():
            return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")
        return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")

    def config(self, param=None, **settings):
        """Return the address for "mac"; settings such as pm, reconnects or hostname are accepted without effect."""
        if param == "mac":
            return b"\x02\x00\x5e\x00\x00\x01"
        return None
