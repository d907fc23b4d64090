"""Asterisk as the PBX: its calls, its attended transfers, and requests to it, over AMI."""
