"""The bridge's pages for machines: health, readiness and metrics."""
