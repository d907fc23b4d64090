"""The bridge as a service of systemd."""
