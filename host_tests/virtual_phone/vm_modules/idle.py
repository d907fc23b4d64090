"""A firmware that prints that it has started, and does nothing."""

import time

print("started")
while True:
    time.sleep_ms(5)
