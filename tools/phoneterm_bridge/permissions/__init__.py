"""Follows the PBX where it is the one to say who is multi user aware. Enforces nothing: the store has what it said."""
