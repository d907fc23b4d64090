"""Everything the bridge keeps: who may do what (directory), and what was asked with which result (journal)."""
