"""The bridge's own connection to the broker."""
