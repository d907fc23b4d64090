"""Texts for people: log lines, sentences, names."""
