"""The access point as the simulated chip's Wi-Fi station sees it: a status number, kept as the ESP32 port keeps it.

Does not carry traffic and does not know time: an attempt to join is under way until `settle` ends it.
The port goes on trying by itself while it is asked to connect. Until it has joined, its status is the last reason why
it has not (network_wlan.c). Only the reasons that it distinguishes are here.
"""

IDLE = 1000
CONNECTING = 1001
GOT_IP = 1010
NO_AP_FOUND = 201
WRONG_PASSWORD = 202


class Radio:
    """One access point, which is up or down, and the station, which wants to join it or not.

    `access_point` is (name, password); None accepts any; the password None means that nobody gets an address.
    """

    def __init__(self, access_point: tuple[str, str | None] | None) -> None:
        self._access_point = access_point
        self._wanted: tuple[str, str] | None = None
        self._reason: int | None = None
        self._is_joined = False
        self.is_up = True

    @property
    def status(self) -> int:
        """What the station sees now."""
        if self._is_joined:
            return GOT_IP
        return self._reason or (CONNECTING if self._wanted else IDLE)

    @property
    def is_trying(self) -> bool:
        """Return whether an attempt is under way."""
        return self._wanted is not None and not self._is_joined

    def join(self, name: str, password: str) -> None:
        """The station wants to join; it goes on trying by itself until it leaves."""
        if not self._is_joined:
            self._wanted = (name, password)

    def settle(self) -> None:
        """The attempt under way ends: the station has joined, or there is a reason why not."""
        if not self.is_trying or (self.is_up and self._access_point and self._access_point[1] is None):
            return
        self._reason = self._find_obstacle()
        self._is_joined = self._reason is None

    def leave(self) -> None:
        """The station wants to leave; the reason of a failed attempt stays."""
        if self._is_joined:
            self._reason = IDLE
        self._wanted, self._is_joined = None, False

    def lose_power(self) -> None:
        """The station's chip forgets everything."""
        self._wanted = self._reason = None
        self._is_joined = False

    def switch(self, is_up: bool) -> None:
        """Switch the access point; a station that had joined tries again."""
        self.is_up = is_up
        self._is_joined = self._is_joined and is_up

    def _find_obstacle(self) -> int | None:
        if not self.is_up:
            return NO_AP_FOUND
        if self._access_point is None or self._wanted is None or self._wanted == self._access_point:
            return None
        return WRONG_PASSWORD if self._wanted[0] == self._access_point[0] else NO_AP_FOUND
