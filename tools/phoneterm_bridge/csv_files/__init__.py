"""Users, extensions and terminals as a CSV file."""
