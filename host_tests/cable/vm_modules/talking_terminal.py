"""A main.py that prints something all the time; it never connects."""

import time

print("ready 1")
count = 0
while True:
    count += 1
    print("line", count)
    time.sleep_ms(20)
