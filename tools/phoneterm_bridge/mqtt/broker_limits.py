"""What a broker's own limits look like to a client that runs into them. Tries nothing.

Source: mosquitto 2.0 and 2.1. MQTT 3.1.1 has no words for these limits, so the broker says something else or hangs up.
"""

TOO_LONG_KEEPALIVE = 2  # "identifier rejected", although nothing is wrong with the identifier
HANGING_UP = (
    "; a mosquitto does so at a login whose last will it does not take: retain_available must be true, max_qos 1 or 2, "
    "and max_packet_size, if there is one, large enough for every message"
)
LOSING = "; if that comes back at once each time, the broker's max_packet_size is too small for a message"


def explain_refusal(code: int, keepalive_s: float) -> str:
    """Return what a refused login may mean beyond the words of its code, to be put after them; "" for nothing."""
    if code != TOO_LONG_KEEPALIVE:
        return ""
    return f"; a mosquitto says so where its max_keepalive is less than broker.keepalive_s ({keepalive_s:g})"
