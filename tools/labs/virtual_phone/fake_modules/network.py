"""The ESP32's `network.WLAN` as far as the firmware uses it; the host plays the access point.

Does not carry traffic: sockets are the computer's own and stay open while the access point is down; only the status
shows that. Status numbers are those of the ESP32 port: 1000 idle, 1001 connecting, 1010 joined, 201 not found, 202
wrong password. As there, the last reason stays until the station has joined, whatever it was told since.
"""

import time

from host_link import link

STA_IF = 0


class WLAN:
    """The station interface."""

    PM_NONE = 0

    def __init__(self, interface_id=STA_IF):
        self._is_active = self._is_trying = False

    def active(self, is_active=None):
        """Switch the interface on or off, or return whether it is on."""
        if is_active is not None:
            if self._is_active and not is_active:
                self.disconnect()
            self._is_active = bool(is_active)
        return self._is_active

    def connect(self, ssid, key=""):
        """Start joining an access point; the chip goes on trying by itself."""
        if not self._is_active:
            raise OSError("Wifi Not Started")
        if self._is_trying and not self.isconnected():
            raise OSError("Wifi Internal State Error")
        self._is_trying = True
        link.send("C%s\t%s\n" % (ssid, key))

    def disconnect(self):
        """Leave the access point and stop trying."""
        self._is_trying = False
        link.send("Q\n")

    def isconnected(self):
        """Return whether the interface has an address."""
        return self.status() == 1010

    def status(self, param=None):
        """Return the status, or the signal strength in dBm for "rssi"."""
        if param:
            return -50
        if link.polled_ms != time.ticks_ms():
            link.poll()
        return link.wifi_status

    def ifconfig(self):
        """Return (address, netmask, gateway, name server)."""
        address = "127.0.0.1" if self.isconnected() else "0.0.0.0"
        return (address, "255.0.0.0", address, address)

    def config(self, **settings):
        """Accept settings such as pm, which change nothing here."""
