"""The operator's console: pages for people, and the same operations for programs. Loaded only when it is enabled."""
