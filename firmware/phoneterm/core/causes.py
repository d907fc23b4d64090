"""The one table of what keeps a terminal from its bridge or PBX: what it shows, blinks and logs for each cause.

Does not find out the cause; Wi-Fi, clock, MQTT client and link do, each for its own part. A cause is a number: as many
long flashes of the lamp as it has tens, then as many short ones as it has units; the tens say where to look (1 Wi-Fi,
2 the way to the broker, 3 bridge and PBX, 4 the terminal itself). 0 is no cause.
Loaded when there is something to tell, and unloaded again; the numbers are constants. Times are ms. Lines have at most
16 characters.
"""

NO_WIFI = 11
WRONG_PASSPHRASE = 12
NO_ADDRESS = 13
NO_NAME = 21
NO_BROKER = 22
NO_TIME = 23
NO_TLS = 24
NO_LOGIN = 25
NO_BRIDGE = 31
WRONG_KEY = 32
NO_PBX = 33
NO_MEMORY = 41

_LONG_ON_MS = 500
_LONG_OFF_MS = 250
_SHORT_ON_MS = 120
_SHORT_OFF_MS = 280
_PAUSE_MS = 1500

# cause|word|line 1|line 2|sentence, for the log and the build guide; each after the end of a line
TABLE = (
    "\n11|no-wifi|No Wi-Fi|name not found|"
    "The Wi-Fi network is not found: its name, its range; 5 GHz alone cannot work.\n"
    "12|wrong-passphrase|No Wi-Fi|wrong passphrase|"
    "The Wi-Fi network refuses the passphrase: provision again.\n"
    "13|no-address|No Wi-Fi|no address|"
    "The Wi-Fi gives no address: wrong passphrase, weak signal, or no DHCP.\n"
    "21|no-name|No broker|name not found|"
    "The broker's name has no address: check the name, and the network's DNS.\n"
    "22|no-broker|No broker|does not answer|"
    "The broker does not answer: its address, its port, or it does not run.\n"
    "23|no-time|No time of day|no time server|"
    "No time server answers; no certificate can be checked: set time_host.\n"
    "24|no-tls|No broker|TLS: certificate|"
    "TLS with the broker fails: certificate, CA, name, date or key; see link-refused.\n"
    "25|no-login|No broker|login refused|"
    "The broker refuses the login: revoked, or its files are old; or provision again.\n"
    "31|no-bridge|No bridge|does not answer|"
    "The broker is there and the bridge is not: start it; phoneterm doctor.\n"
    "32|wrong-key|No bridge|key not accepted|"
    "The bridge does not take this terminal's signature: provision again.\n"
    "33|no-pbx|No PBX|bridge is there|"
    "The bridge has lost its PBX: phoneterm doctor.\n"
    "41|no-memory|Short of memory|link given up|"
    "Too little memory for Wi-Fi and TLS: the link is given up for a while.\n"
)


def describe(cause):
    """Return (line1, line2, text for the log, lamp steps); ValueError for a cause that does not exist."""
    at = TABLE.find("\n%d|" % cause)
    if at < 0:
        raise ValueError("no such cause: %s" % cause)
    _, word, line1, line2, sentence = TABLE[at : TABLE.find("\n", at + 1)].split("|")
    return line1, line2, "%s (%d): %s" % (word, cause, sentence), lamp_steps(cause)


def lamp_steps(cause):
    """Return the lamp's ms on, off, on, ... for a cause: its code once, and a pause."""
    steps = (_LONG_ON_MS, _LONG_OFF_MS) * (cause // 10) + (_SHORT_ON_MS, _SHORT_OFF_MS) * (cause % 10)
    return steps[:-1] + (_PAUSE_MS,)
