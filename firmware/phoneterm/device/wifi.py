"""Keeps the terminal on its Wi-Fi network: joins it, knows what prevents that, notices when it is lost.

Does not know the broker: a broker that is away is no reason to touch the radio. Times are ms.
The application starts `run()` as a task, once; `wait_up()` is for tasks that need a network.
Once told to connect, the port goes on trying by itself, also after a loss. So it is told again only when that has not
helped for RENEW_MS; earlier, this would break off an attempt under way. `status()` keeps the last reason until there is
an address. So a reason ends nothing here; it only becomes the `cause`, and not in the first second. A radio that says
nothing for SILENT_MS has got no address: often the passphrase is wrong all the same.
Source: MicroPython's ports/esp32/network_wlan.c.
"""

import asyncio

from phoneterm.core.causes import NO_ADDRESS, NO_WIFI, WRONG_PASSPHRASE

RENEW_MS = 30000  # randomly up to twice that; a slow access point with DHCP takes 5 to 8 s
REASON_MS = 1000
SILENT_MS = 15000
JOIN_LOOK_MS = 50
LOOK_MS = 250
_NOT_FOUND = (201, 210, 211, 212)  # of status(); the last three are networks too weak or protected in another way
_REFUSED = 202


class Wifi:
    """One station interface and its network; calls on_change(is_up) and log(event, detail).

    cause: what keeps it from its network, one of core.causes, or 0.
    """

    def __init__(self, station, ssid, password, random_fraction, on_change, log):
        """Take a `network.WLAN` station."""
        self._station = station
        self._ssid = ssid
        self._password = password
        self._random_fraction = random_fraction
        self._on_change = on_change
        self._log = log
        self.cause = 0
        self._up = asyncio.Event()

    async def wait_up(self):
        """Return once the network is there."""
        await self._up.wait()

    def rssi(self):
        """Return the signal strength in dBm, or None while there is no network."""
        return self._station.status("rssi") if self._up.is_set() else None

    async def run(self):
        """Join and watch: for ever."""
        station = self._station
        station.active(True)
        try:
            station.config(pm=station.PM_NONE)  # sleeping between beacons costs up to 100 ms for each answer
        except (AttributeError, OSError, ValueError):
            pass  # a radio that does not sleep
        renew_ms = 0  # at once, the first time
        while True:
            await self._join(renew_ms)
            self._set_up(True, "joined")
            while station.isconnected():
                await asyncio.sleep_ms(LOOK_MS)
            self._set_up(False, "the network was lost")
            renew_ms = RENEW_MS

    async def _join(self, renew_ms):
        """Return once there is an address; make the station start over whenever there is none within `renew_ms`."""
        waited_ms = 0
        while not self._station.isconnected():
            if waited_ms >= renew_ms:
                self._connect()
                renew_ms = RENEW_MS + int(RENEW_MS * self._random_fraction())
                waited_ms = 0
            elif waited_ms >= REASON_MS:
                status = self._station.status()
                if status in _NOT_FOUND:
                    self.cause = NO_WIFI
                elif status == _REFUSED:
                    self.cause = WRONG_PASSPHRASE
                elif waited_ms >= SILENT_MS:
                    self.cause = NO_ADDRESS
            await asyncio.sleep_ms(JOIN_LOOK_MS)
            waited_ms += JOIN_LOOK_MS

    def _connect(self):
        """Make the station start over."""
        try:
            self._station.disconnect()
            self._station.connect(self._ssid, self._password)
        except OSError as error:
            self._log("wifi-failed", error)

    def _set_up(self, is_up, detail):
        self._log("wifi-up" if is_up else "wifi-down", detail)
        if is_up:
            self.cause = 0
            self._up.set()
        else:
            self.cause = NO_ADDRESS
            self._up.clear()
        self._on_change(is_up)
