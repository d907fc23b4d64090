"""The store's schema, step by step from the first one on. Run by `store.database`, not by hand."""
