"""Keeps the terminal on its Wi-Fi network: joins, notices when it is lost, joins again.

Does not know the broker: a broker that is away is no reason to touch the radio. Times are ms.
The application starts `run()` as a task, once; `wait_up()` is for those who need a network.
"""

import asyncio

JOIN_MS = 15000  # a slow access point with DHCP takes 5 to 8 s
LOOK_MS = 250
_REASONS = {201: "the network was not found", 202: "the password is wrong", 200: "the signal was lost"}  # ESP32 status


class Wifi:
    """One station interface and its network; calls on_change(is_up) and log(event, detail)."""

    def __init__(self, station, ssid, password, backoff, random_fraction, on_change, log):
        """Take a `network.WLAN` station and a core.backoff."""
        self._station = station
        self._ssid = ssid
        self._password = password
        self._backoff = backoff
        self._random_fraction = random_fraction
        self._on_change = on_change
        self._log = log
        self._up = asyncio.Event()

    async def wait_up(self):
        """Return once the network is there."""
        await self._up.wait()

    def rssi(self):
        """Return the signal strength in dBm, or None while there is no network."""
        return self._station.status("rssi") if self._up.is_set() else None

    async def run(self):
        """Join and watch: for ever."""
        self._station.active(True)
        try:
            self._station.config(pm=self._station.PM_NONE)  # sleeping between beacons costs up to 100 ms an answer
        except (AttributeError, OSError, ValueError):
            pass  # a radio that does not sleep
        while True:
            reason = await self._join()
            if reason is None:
                self._backoff.reset()
                self._set_up(True, "joined")
                while self._station.isconnected():
                    await asyncio.sleep_ms(LOOK_MS)
                self._set_up(False, "the network was lost")
            else:
                self._log("wifi-failed", reason)
                await asyncio.sleep_ms(self._backoff.next_ms(self._random_fraction()))

    async def _join(self):
        """Try once to join; return None, or why it did not work."""
        station = self._station
        try:
            if not station.isconnected():
                station.disconnect()
                station.connect(self._ssid, self._password)
        except OSError as error:
            return str(error)
        left_ms = JOIN_MS
        while left_ms > 0:
            if station.isconnected():
                return None
            if station.status() in _REASONS:
                return _REASONS[station.status()]
            await asyncio.sleep_ms(LOOK_MS // 5)
            left_ms -= LOOK_MS // 5
        return "no address after %d ms" % JOIN_MS

    def _set_up(self, is_up, detail):
        self._log("wifi-up" if is_up else "wifi-down", detail)
        if is_up:
            self._up.set()
        else:
            self._up.clear()
        self._on_change(is_up)
