"""Generates, replays and judges recordings of a keypad's contacts, through the firmware's own scanner."""
