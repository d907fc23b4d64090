"""A check that fails, so that a test can see that fuzzing finds it. Not for anything else."""


def refuse_high_octets(octets):
    """Fail for the first octet over 127."""
    assert max(octets, default=0) < 128


CHECKS = {"device": refuse_high_octets}
