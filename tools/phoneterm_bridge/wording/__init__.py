"""What people read: log lines, sentences, names."""
