"""The path of a command: message, checks, journal, PBX, outcome."""
