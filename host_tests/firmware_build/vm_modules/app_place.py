"""Prints where the terminal's application is imported from; it does not start it."""

import phoneterm.app

print("app is from", phoneterm.app.__file__)
