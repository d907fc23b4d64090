"""The access point as the simulated chip's Wi-Fi station sees it: a status number.

Does not carry traffic and does not know time: joining succeeds at once. Status numbers are those of the ESP32 port.
"""

IDLE = 1000
CONNECTING = 1001
GOT_IP = 1010
BEACON_TIMEOUT = 200
NO_AP_FOUND = 201
WRONG_PASSWORD = 202


class Radio:
    """One access point, which is up or down, and the station that wants to join it or not.

    `access_point` is (name, password); None lets the station in whatever it asks for.
    """

    def __init__(self, access_point: tuple[str, str] | None) -> None:
        self._access_point = access_point
        self._wanted: tuple[str, str] | None = None
        self._was_joined = False
        self.is_up = True

    @property
    def status(self) -> int:
        """What the station sees now."""
        if self._wanted is None:
            return IDLE
        if not self.is_up:
            return BEACON_TIMEOUT if self._was_joined else NO_AP_FOUND
        if self._access_point is None or self._wanted == self._access_point:
            return GOT_IP
        return WRONG_PASSWORD if self._wanted[0] == self._access_point[0] else NO_AP_FOUND

    def join(self, name: str, password: str) -> None:
        """The station wants to join; it goes on trying by itself until it leaves."""
        self._wanted = (name, password)
        self._was_joined = self.status == GOT_IP

    def leave(self) -> None:
        """The station wants to be alone, or lost its power."""
        self._wanted, self._was_joined = None, False

    def switch(self, is_up: bool) -> None:
        """Switch the access point."""
        self._was_joined = self._was_joined or self.status == GOT_IP
        self.is_up = is_up
