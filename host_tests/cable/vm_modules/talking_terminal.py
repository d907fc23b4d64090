"""A main.py that says something all the time; it reaches nothing."""

import time

print("link-up 1")
count = 0
while True:
    count += 1
    print("line", count)
    time.sleep_ms(20)
