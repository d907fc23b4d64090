"""The address at which terminals are to find the broker, and whether a board could: the one place that judges it.

Does not resolve names or connect. A board is another machine, so this machine's own names for itself are no address for
it. With TLS, the broker's certificate must carry the address, or the name that is given beside it (`tls_host`).
"""

import ipaddress
import re
import socket
from typing import NamedTuple

from phoneterm_bridge.broker.certificate_names import is_carried, read_names
from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.wording.names import name_some

LONGEST_BYTES = 128  # of a setting on a terminal
_WORD = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"({_WORD}\.)*{_WORD}\.?")
_NUMBER = re.compile(r"[0-9.]*")
_ITSELF = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
_SOMEWHERE = ("192.0.2.1", 9)  # an address for documentation: nothing is sent there
_OPTION = "HOST= (--mqtt-host)"


class Address(NamedTuple):
    """Where a terminal finds its broker.

    tls_host: the name in the broker's certificate, "" if it is mqtt_host; time_host: a time server, "" for the usual.
    """

    mqtt_host: str
    tls_host: str = ""
    time_host: str = ""

    def settings(self) -> dict[str, str]:
        """Return what is given under the names that the firmware reads."""
        return {name: text for name, text in self._asdict().items() if text}


def judge_address(
    broker: BrokerSettings, mqtt_host: str | None, tls_host: str | None, time_host: str | None, is_here: bool = False
) -> Address:
    """Return the address for terminals; SetupProblem names the one to use when a board cannot use this one.

    mqtt_host: where the broker listens, unless given. is_here: the terminal is no board but runs on this machine.
    """
    host = mqtt_host or broker.host
    _check_form("The broker's address", host, f"{_OPTION} has no port or protocol; the port comes from the bridge's")
    if not is_here:
        _check_reachable(host, broker)
    for what, name, option in (("The name in the certificate", tls_host, "--tls-host"),
                               ("The time server", time_host, "--time-host")):  # fmt: skip
        if name:
            _check_form(what, name, f"{option} has no port or protocol; it is no part of the bridge's")
    if time_host and not is_here and _is_no_machine(time_host):
        raise SetupProblem(f"For a board, {time_host} is no time server: name another with --time-host.")
    _check_certificate(broker, host, tls_host)
    return Address(host, tls_host or "", time_host or "")


def is_for_boards(host: str) -> bool:
    """Return whether a host could be another machine than the board itself, as far as its name tells."""
    return _is_host(host) and not _is_no_machine(host)


def _check_form(what: str, host: str, more: str) -> None:
    """Refuse what is neither a name nor a number of one machine."""
    if not _is_host(host):
        raise SetupProblem(f"{what} is a host's name or IP address alone, not {host[:80]!r}: {more} settings.")


def _check_reachable(host: str, broker: BrokerSettings) -> None:
    """Refuse an address that means another machine to a board, or none."""
    ip = _as_ip(host)
    if ip is not None and ip.is_unspecified:
        raise SetupProblem(
            f"A broker can listen at every address of its machine ({host}), but a board needs one of them: name it "
            f"with {_OPTION}{_suggest(broker)}."
        )
    if _is_no_machine(host):
        what = "is no machine's address" if ip is not None and not _is_itself(host) else "is the board itself"
        raise SetupProblem(
            f"For a board, {host} {what}: name this machine's address on the network with {_OPTION}"
            f"{_suggest(broker)}, and let the broker listen there (broker.host)."
        )


def _check_certificate(broker: BrokerSettings, host: str, tls_host: str | None) -> None:
    """Refuse a name that the certificate does not carry, which the terminal would not accept."""
    if broker.psk_port or not broker.is_tls:
        if tls_host:
            raise SetupProblem("A name in the broker's certificate (--tls-host) is for a broker that shows one.")
        return
    names = read_names(broker)
    if names is not None and not is_carried(tls_host or host, names):
        raise SetupProblem(
            f"The broker's certificate is for {name_some(names)}, not for {tls_host or host}, so terminals would "
            f"refuse it: name one of these with {_OPTION}, or with --tls-host beside an address that it does not carry."
        )


def _is_host(host: str) -> bool:
    is_name = _NAME.fullmatch(host) and not _NUMBER.fullmatch(host)
    return len(host) <= LONGEST_BYTES and bool(is_name or _as_ip(host))


def _is_no_machine(host: str) -> bool:
    ip = _as_ip(host)
    return _is_itself(host) or (ip is not None and (ip.is_unspecified or ip.is_multicast or ip.is_reserved))


def _is_itself(host: str) -> bool:
    ip = _as_ip(host)
    if ip is None:
        name = host.lower().rstrip(".")
        return name in _ITSELF or name.endswith(".localhost")
    mapped = getattr(ip, "ipv4_mapped", None)
    return ip.is_loopback or (mapped is not None and mapped.is_loopback)


def _as_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _suggest(broker: BrokerSettings) -> str:
    """Return which names there are to use: those of the certificate, or this machine's address."""
    names = None if broker.psk_port else read_names(broker)
    usable = [name for name in names or () if not _is_no_machine(name) and "*" not in name]
    if usable:
        return f" (its certificate is for {name_some(usable)})"
    own = _own_address()
    return f" (this machine's is {own})" if own else ""


def _own_address() -> str | None:
    """Return this machine's address on the network that leads elsewhere; None without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_SOMEWHERE)
            own = str(probe.getsockname()[0])
        except OSError:
            return None
    return None if _is_no_machine(own) else own
