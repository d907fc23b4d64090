"""The terminals: their sessions, what they report, and what they are sent."""
