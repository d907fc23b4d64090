"""The certificate of the embedded broker: its dates, its name and its issuer, read only from its files."""

import time

import pytest
from device.authority import Authority, is_possible
from doctor.reading import verdicts
from phoneterm_bridge.doctor.certificate import examine_files, judge_dates
from phoneterm_bridge.doctor.finding import OK, PROBLEM, WARNING
from phoneterm_bridge.settings.bridge import BrokerSettings


@pytest.fixture
def make_broker(tmp_path):
    """Return a function that makes settings of an embedded broker with a certificate of its own CA."""
    if not is_possible():
        pytest.skip("openssl is not on this machine: install the package openssl.")

    def make(dates=None):
        authority = Authority(tmp_path / "authority")
        files = authority.make_server_files("broker.example", dates)
        (tmp_path / "broker.pem").write_bytes(files["certfile"])
        (tmp_path / "broker.key").write_bytes(files["keyfile"])
        paths = {"certificate_path": tmp_path / "broker.pem", "key_path": tmp_path / "broker.key"}
        return BrokerSettings(**paths), authority

    return make


@pytest.mark.parametrize("has_ca", [True, False])
@pytest.mark.parametrize(
    ("dates", "verdict", "words"),
    [
        (None, WARNING, "good for 0 more days; it is for broker.example"),
        (("20200101", "20700101"), OK, "more days; it is for broker.example"),
        (("20200101", "20210101"), PROBLEM, "certificate has expired"),
        (("20700101", "20710101"), PROBLEM, "certificate is not yet valid"),
    ],
)
def test_the_dates_of_the_embedded_brokers_certificate(make_broker, has_ca, dates, verdict, words):
    settings, authority = make_broker(dates)
    if has_ca:
        settings = settings.model_copy(update={"ca_path": authority.pem_path})
    assert verdicts(examine_files(settings), words) == [verdict]


def test_a_certificate_of_another_ca_and_files_that_are_none(make_broker, tmp_path):
    settings, _ = make_broker(("20200101", "20700101"))
    other = Authority(tmp_path / "other")
    foreign = settings.model_copy(update={"ca_path": other.pem_path})
    assert verdicts(examine_files(foreign), "unable to get local issuer certificate") == [PROBLEM]
    missing = settings.model_copy(update={"ca_path": tmp_path / "none.pem"})
    assert verdicts(examine_files(missing), "cannot be read: no such file") == [PROBLEM]
    settings.key_path.write_text("nothing")
    assert verdicts(examine_files(settings), "not a certificate and its key") == [PROBLEM]


def test_a_certificate_that_ends_soon_is_a_warning():
    soon = time.strftime("%b %d %H:%M:%S %Y GMT", time.gmtime(time.time() + 5 * 86400))
    assert judge_dates({"notAfter": soon}, "").verdict == WARNING
