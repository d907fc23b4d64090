"""Who may send a caller where, when and how often."""
