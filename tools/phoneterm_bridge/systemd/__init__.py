"""The bridge as a systemd service."""
