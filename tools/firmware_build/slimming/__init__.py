"""Rewrites the firmware's modules so that they take less memory on a chip; `modules` is where it begins."""
