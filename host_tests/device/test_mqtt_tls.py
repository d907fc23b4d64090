"""The MQTT client over TLS against mosquitto: the pinned CA and the host name decide."""

import pytest
from device.authority import Authority, is_possible
from device.real_brokers import make_mosquitto, topic
from phoneterm.core import messages

NAME = "broker.lab"
STORY = ("publish_or_be_refused", topic(messages.TELEMETRY))


@pytest.fixture
async def tls_broker(need_part, tmp_path):
    """A mosquitto with a certificate of `authority` for NAME."""
    if not is_possible():
        pytest.skip("openssl is not on this machine: install the package openssl.")
    authority = Authority(tmp_path / "authority")
    broker = make_mosquitto(need_part("mosquitto"), authority.make_server_files(NAME))
    broker.authority = authority
    await broker.start()
    yield broker
    await broker.remove()


async def test_the_pinned_authority_and_the_right_name_are_let_through(tls_broker, tell):
    story = await tell(tls_broker.port, *STORY, tls_ca_path=tls_broker.authority.der_path, tls_host=NAME)
    assert await story.end() == [[True, True]]


async def test_another_authority_is_refused_and_the_password_never_sent(tls_broker, tell, tmp_path):
    other = Authority(tmp_path / "other")
    story = await tell(tls_broker.port, *STORY, tls_ca_path=other.der_path, tls_host=NAME)
    assert await story.end() == [[False, False]]
    assert await story.until_logged("link-refused") == "The certificate is not correctly signed by the trusted CA"


async def test_another_name_is_refused(tls_broker, tell):
    story = await tell(tls_broker.port, *STORY, tls_ca_path=tls_broker.authority.der_path, tls_host="other.lab")
    assert await story.end() == [[False, False]]
    assert "does not match" in await story.until_logged("link-refused")


async def test_a_refused_certificate_leaves_no_socket_behind_for_the_garbage_collection(tls_broker, tell):
    story = await tell(
        tls_broker.port, "sockets_after_a_refusal", tls_ca_path=tls_broker.authority.der_path, tls_host="other.lab"
    )
    assert await story.end() == [[0]]


@pytest.mark.parametrize(
    ("dates", "sentence"),
    [
        (("20200101", "20210101"), "The certificate validity has expired; the clock says 20"),
        (("20700101", "20710101"), "The certificate validity starts in the future; the clock says 20"),
    ],
)
async def test_a_certificate_of_another_time_is_refused_and_the_clock_named(need_part, tell, tmp_path, dates, sentence):
    authority = Authority(tmp_path / "authority")
    broker = make_mosquitto(need_part("mosquitto"), authority.make_server_files(NAME, dates))
    await broker.start()
    story = await tell(broker.port, *STORY, tls_ca_path=authority.der_path, tls_host=NAME)
    assert await story.end() == [[False, False]]
    assert (await story.until_logged("link-refused")).startswith(sentence)
    await broker.remove()


async def test_a_cut_tls_connection_is_made_again(tls_broker, tell):
    story = await tell(tls_broker.port, "cut_once", tls_ca_path=tls_broker.authority.der_path, tls_host=NAME)
    assert await story.end() == [[2]]


@pytest.fixture
async def asking_broker(need_part, tmp_path):
    """A mosquitto that requires a certificate of `authority`."""
    if not is_possible():
        pytest.skip("openssl is not on this machine: install the package openssl.")
    authority = Authority(tmp_path / "authority")
    files = authority.make_server_files(NAME) | {"cafile": authority.pem_path.read_bytes()}
    broker = make_mosquitto(need_part("mosquitto"), files, ["require_certificate true"])
    broker.authority = authority
    await broker.start()
    yield broker
    await broker.remove()


def own_files(authority, name="desk-101"):
    """Return the options with a certificate that an authority made for a terminal."""
    certificate, key = authority.make_client_files(name)
    return {"tls_cert_path": str(certificate.with_suffix(".der")), "tls_key_path": str(key.with_suffix(".der"))}


async def test_a_broker_that_asks_for_a_certificate_is_shown_the_terminals_own(asking_broker, tell):
    pinned = {"tls_ca_path": asking_broker.authority.der_path, "tls_host": NAME}
    story = await tell(asking_broker.port, *STORY, **pinned, **own_files(asking_broker.authority))
    assert await story.end() == [[True, True]]


NO_TLS = "no TLS with it: "


def assert_no_tls(story):
    """Assert that the handshake failed: a broker that closes while we write is noticed before its alert."""
    event, reason = story.logged[0]
    assert event in ("link-lost", "link-refused")
    assert reason.startswith(NO_TLS)


@pytest.mark.parametrize("whose", ["nobody", "another authority"])
async def test_without_the_right_certificate_it_gets_nothing_and_says_why(asking_broker, tell, tmp_path, whose):
    pinned = {"tls_ca_path": asking_broker.authority.der_path, "tls_host": NAME}
    own = own_files(Authority(tmp_path / "other")) if whose == "another authority" else {}
    story = await tell(asking_broker.port, *STORY, **pinned, **own)
    assert await story.end() == [[False, False]]
    assert_no_tls(story)


PSK = "0f" * 32


@pytest.fixture
async def psk_broker(need_part):
    """A mosquitto that shares PSK with desk-101."""
    broker = make_mosquitto(need_part("mosquitto"), {"psk_file": f"desk-101:{PSK}\n".encode()}, ["psk_hint phoneterm"])
    await broker.start()
    yield broker
    await broker.remove()


async def test_a_shared_key_is_enough_for_tls_and_no_clock_or_certificate_is_needed(psk_broker, tell):
    story = await tell(psk_broker.port, *STORY, tls_psk=PSK, tls_host=NAME)
    assert await story.end() == [[True, True]]


async def test_another_key_is_refused(psk_broker, tell):
    story = await tell(psk_broker.port, *STORY, tls_psk="1f" * 32, tls_host=NAME)
    assert await story.end() == [[False, False]]
    assert (await story.until_logged("link-refused")).startswith(NO_TLS)


async def test_a_name_that_shares_no_key_gets_nothing_and_says_why(psk_broker, tell):
    story = await tell(psk_broker.port, *STORY, tls_psk=PSK, tls_host=NAME, tid="desk-102")
    assert await story.end() == [[False, False]]
    assert_no_tls(story)


async def test_with_a_shared_key_no_broker_is_believed_for_its_certificate(tls_broker, tell):
    story = await tell(tls_broker.port, *STORY, tls_psk=PSK, tls_host=NAME)
    assert await story.end() == [[False, False]]
    assert (await story.until_logged("link-refused")).startswith(NO_TLS)
