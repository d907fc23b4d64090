"""What a board is wired like: reads `boards/<NAME>`, refuses what cannot work, and draws the wiring."""
