"""The values in the simulated chip's non-volatile storage, which outlive its resets.

Does not write to a disk: the values live as long as the phone object. They are bytes, named by namespace and key.
"""

NAMESPACE = "phoneterm"


class NvsImage:
    """All values; each start of the chip gets them in its environment, and its commits change them."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.values = {(NAMESPACE, key): text.encode() for key, text in settings.items()}

    def environment(self) -> dict[str, str]:
        """Return the values in the form of the chip's environment."""
        return {f"NVS.{namespace}.{key}": value.hex() for (namespace, key), value in self.values.items()}

    def set_hex(self, namespace: str, key: str, text: str) -> None:
        """Store a committed value; one that is not hex is ignored."""
        try:
            self.values[namespace, key] = bytes.fromhex(text)
        except ValueError:
            return

    def erase(self, namespace: str, key: str) -> None:
        """Remove a value after a committed removal."""
        self.values.pop((namespace, key), None)
