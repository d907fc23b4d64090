"""The PBX as the bridge sees it, and the backends that carry out its operations there."""
