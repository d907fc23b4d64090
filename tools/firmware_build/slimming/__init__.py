"""Rewrites the firmware's modules so that they take less memory on a chip; the entry point is `modules`."""
