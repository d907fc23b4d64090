"""The store's schema, step by step from the first one. Run by `store.database`, not by hand."""
