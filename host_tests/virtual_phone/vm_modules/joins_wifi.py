"""A firmware that joins the network "office" and prints every change of the station's status; it does not retry."""

import time

import network

station = network.WLAN(network.STA_IF)
try:
    station.connect("office", "secret")
except OSError as error:
    print(error)
station.active(True)
station.connect("office", "secret")
last = None
while True:
    if station.status() != last:
        last = station.status()
        print("status", last, station.isconnected(), station.ifconfig()[0])
    time.sleep_ms(1)
