"""A whole desk on this computer: broker, bridge, PBX and a phone, with a prompt to press its keys."""
