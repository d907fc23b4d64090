"""Asterisk as the PBX: its calls, its attended transfers, and how it is asked, over AMI."""
