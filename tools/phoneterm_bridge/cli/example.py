"""The settings file that `phoneterm bridge init` writes. Every value in it is the default."""

from pathlib import Path

_EXAMPLE = """\
# Settings of the phoneterm bridge. Every line shows a default: uncomment what you change. Paths are relative to this
# file. A setting can also come from the environment (PHONETERM_BROKER__PORT=1884) or from the command line
# (--set broker.port=1884); the command line wins over the environment, and both over this file. Secrets belong in the
# file of the same name beside this one that ends in .env, as lines such as PHONETERM_PBX__SECRET=...: the service and
# every other command read it, and nobody else should. `phoneterm config show` shows the settings and their sources.

[broker]
# embedded = true          # true: an MQTT broker inside the bridge; false: the one at host and port
# host = "127.0.0.1"       # where the embedded broker listens; "0.0.0.0" lets terminals on the network in
# port = 1883
# username = "bridge"      # for a broker that is not embedded
# password = ""
# ca_path = "ca.pem"       # the CA of the broker's certificate; turns TLS on for a broker that is not embedded;
#                          # `phoneterm tls init` makes CA, certificate and key, and prints these lines
# certificate_path = "broker.pem"  # the broker's certificate; turns TLS on for the embedded broker ...
# key_path = "broker.key"          # ... and its key; `phoneterm broker config` puts both into mosquitto.conf
# client_ca_path = "clients.pem"   # the CA of the clients' certificates: a client without one is refused ...
# client_certificate_path = "bridge.pem"  # ... and the bridge's own, for a broker that is not embedded
# client_key_path = "bridge.key"
# psk_port = 0             # where a mosquitto listens for terminals with TLS-PSK, such as 8884; 0: nowhere
# allow_plain = false      # true: without TLS although the broker is not on this machine
# keepalive_s = 15
# base = "phoneterm"       # the first level of all topics

[pbx]
# kind = "asterisk"        # or "voipnow", with the section [voipnow]; of this section it needs the context alone
# host = "127.0.0.1"       # where Asterisk's manager interface (AMI) listens
# port = 5038
# username = "phoneterm"   # of manager.conf; needs read = call and write = call,reporting
# secret = ""              # better: PHONETERM_PBX__SECRET=... in the file beside this one
# tls = false
# context = "internal"     # the dialplan context of new extensions' transfers; on FreePBX "from-internal-xfer"

[voipnow]
# url = ""                 # such as "https://voipnow.example"
# client_id = ""           # of the app, which must be trusted
# client_secret = ""       # better: PHONETERM_VOIPNOW__CLIENT_SECRET=... in the file beside this one
# redirect_uri = ""        # as the app was registered; without it the url counts
# organization = ""        # what stands before the star of its extensions: 0003 of 0003*210
# ca_path = "voipnow.pem"  # the CA of its certificate, trusted instead of the system's
# user = "@me"             # whose calls are asked for: @me, @viewer, @owner, or a user's id
# lists = "together"       # one request for all extensions of that user; "each": one for every extension
# poll_ms = 1000           # from one look at the calls to the next
# timeout_ms = 4000        # until an answer that does not come is given up
# attended = "refused"     # or "composed": of hold, call and transfer; it rings the colleague twice
# events_url = ""          # an address that leads VoipNow to the pages of [http], such as "https://bridge.example/calls"
# permissions = "voipnow"  # who says who is multi user aware: VoipNow's SystemAPI, or this bridge's "store" alone
# permissions_poll_s = 60  # from one reading of them to the next
# permissions_keep_s = 43200   # how long what it said last counts while it cannot be read; then nobody may transfer
# system_api_version = ""  # of SystemAPI, such as "5.2.5"; without it the newest one that works

[store]
# path = "{store}"
# numbers_days = 0         # how long the journal keeps dialled numbers, in days; 0: for ever

[phones]
# ttl_ms = 8000            # a command that is older when it arrives is refused
# digit_map = "internal:1xx|national:0[1-9]x.T|international:00[1-9]x.T"
# code_ms = 3000           # longest pause inside a code; without these three the terminal's own times count
# digit_ms = 3000          # longest pause between digits
# total_ms = 20000         # longest sequence
# country = "de"           # the tones the terminal plays
# commit = "A"             # the key that ends a number
# erase = "B"              # the key that takes the last digit back
# cancel = "C"             # the key that cancels a transfer
# swap = "D"               # the key that switches to the other party

[policy]                   # beyond what the store allows each terminal
# allow = []               # prefixes of numbers: the longest one counts, the terminal's own included,
# deny = []                # and deny wins a tie; where none fits, the terminal's classes decide
# internal = ["internal"]  # the classes of the digit map that are not outside
# emergency = ["000", "110", "112", "911", "999"]  # never a target, nor behind an outside line
# outside_line = ["0"]     # the digits that get an outside line
# features = ["*"]         # prefixes of feature codes: never a target
# allow_kinds = []         # what the dialplan shows and is refused unless named here: spy, barge, disa, mailbox, login,
#                          # settings, pickup
# commands_per_minute = 30 # of one terminal; 0: no limit, here and below
# external_per_hour = 60   # of all terminals; then outside numbers are off until `phoneterm policy restore`
# external_at_once = 10
# office_hours = ""        # such as "mo-fr 08:00-18:00, sa 09:00-12:00": when outside numbers may be a target

[http]                     # health and metrics: /healthz, /readyz, /metrics
# enabled = false
# host = "127.0.0.1"
# port = 8371
# names = []               # further names of this machine by which the pages are asked for, such as "bridge.example"
# allow_remote = false     # true: others may read the pages too, without a password, if host lets them in

[console]                  # the operator's console: terminals, permissions, "why did it not work?"
# enabled = false
# host = "127.0.0.1"
# port = 8372
# names = []               # further names of this machine by which it is asked for, such as "phones.example"
# allow_remote = false     # true: listen where other machines reach it, with passwords in the clear
# https = false            # true: a reverse proxy with TLS is before it, so that cookies never go in the clear
# proxy_address = ""       # the address of a reverse proxy that signs people in, such as "127.0.0.1" ...
# proxy_header = ""        # ... and the header in which it names the account, such as "X-Remote-User"

[log]
# format = "auto"          # console for people, json for machines; auto: json in the journal of systemd
# level = "info"           # debug, info, warning or error
"""


def make_example(store: Path) -> str:
    """Return the text of a new settings file, whose store is at `store` unless it says otherwise."""
    return _EXAMPLE.format(store=store)
