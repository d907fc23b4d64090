"""The Asterisk Manager Interface (AMI): its text form, and one connection that speaks it."""
