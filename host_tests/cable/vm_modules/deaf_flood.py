"""A main.py that prints without a pause and cannot be interrupted.

Does not do anything else.
"""


def flood():
    """Print until an interrupt comes."""
    while True:
        print("hello")


while True:
    try:
        flood()
    except BaseException:
        pass
