"""The page of the virtual phone: a desk phone to press, beside a live picture of the calls."""
