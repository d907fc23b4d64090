"""The firmware's MQTT client is small enough, and the bench counts every module of it."""

from pathlib import Path

from link_lab import bench
from link_lab.first_connect import PLAIN, PSK, TLS

_DEVICE = Path(__file__).parents[2] / "firmware" / "phoneterm" / "device"


def test_the_client_compiled_is_no_larger_than_its_limit(note):
    client_bytes = bench.measure_client_size()
    note(f"The MQTT client, compiled: {client_bytes} of {bench.MOST_CLIENT_BYTES} bytes")
    assert client_bytes <= bench.MOST_CLIENT_BYTES


def test_every_module_of_the_client_is_counted():
    assert sorted(bench.CLIENT_MODULES) == sorted(path.stem for path in _DEVICE.glob("mqtt*.py"))


def test_a_limit_that_is_not_held_is_a_sentence():
    ours = bench.Figures("ours", 1.0, 20.0, None, 10)
    sentences = bench.failures(ours, 10, {PLAIN: 151.0, TLS: 20.0, PSK: 20.0}, 9000)
    assert sentences == [
        "a half-open connection noticed: never is more than 8000 ms.",
        "the client, compiled: 9000.0 bytes is more than 8192 bytes.",
        "first connect to permissions without TLS: 151.0 ms is more than 150 ms.",
    ]
