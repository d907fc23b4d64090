"""Whether the bridge can do its work."""
