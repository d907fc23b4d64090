"""A board's wiring: reads `boards/<NAME>`, refuses wirings that cannot work, and draws the others."""
