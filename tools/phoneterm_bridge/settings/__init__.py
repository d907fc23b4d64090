"""The bridge's settings, and what is wrong with them."""
