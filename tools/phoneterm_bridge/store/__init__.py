"""Everything the bridge keeps: who may do what (directory), and what was asked and came of it (journal)."""
