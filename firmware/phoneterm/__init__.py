"""The phone terminal's firmware: core (pure), device (thin), app (tasks) and assembly (puts them together)."""

VERSION = "0.1.0"
