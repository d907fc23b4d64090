"""The way of a command: message, checks, journal, PBX, outcome."""
