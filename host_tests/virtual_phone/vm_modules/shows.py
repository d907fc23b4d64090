"""A firmware that shows something everywhere: lamp, buzzer, display and signal. It hears no keys."""

import time

import board
from machine import PWM, Pin

lamp = Pin(board.LAMP, Pin.OUT)
buzzer = PWM(Pin(board.BUZZER), freq=1000, duty_u16=0)
display = board.make_display()
lamp.value(board.LAMP_ACTIVE)
buzzer.freq(425)
buzzer.duty_u16(32768)
display.show("Ready", "a line that is far too long")
while wait_ms := display.step():
    time.sleep_ms(wait_ms)
board.on_signal("ready")
time.sleep(60)
