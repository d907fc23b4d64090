"""A boot.py that lets main.py run from the second start on; in the first start it does not end."""

import os
import time

if "waiting" not in os.listdir():
    open("waiting", "w").close()
    print("waiting")
    time.sleep(60)
