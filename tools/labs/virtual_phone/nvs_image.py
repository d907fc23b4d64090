"""The values in the simulated chip's non-volatile storage, which outlive its resets.

Does not write to a disk: the values live as long as the phone object. They are bytes, named by namespace and key.
"""

NAMESPACE = "phoneterm"


class NvsImage:
    """All values; given to each start of the chip in its environment, changed by what it commits."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.values = {(NAMESPACE, key): text.encode() for key, text in settings.items()}

    def environment(self) -> dict[str, str]:
        """Return the values as the chip finds them in its environment."""
        return {f"NVS.{namespace}.{key}": value.hex() for (namespace, key), value in self.values.items()}

    def set_hex(self, namespace: str, key: str, text: str) -> None:
        """Take a committed value; what is not hex is left out."""
        try:
            self.values[namespace, key] = bytes.fromhex(text)
        except ValueError:
            return

    def erase(self, namespace: str, key: str) -> None:
        """Take a committed removal."""
        self.values.pop((namespace, key), None)
