"""The bridge's own end of TLS: whom it trusts, and what it says of files and brokers that are not right."""

import pytest
from bridge.tls.tls_names import NAME
from device.authority import Authority
from phoneterm.core import messages
from phoneterm_bridge.assembly import address_of, will_of
from phoneterm_bridge.broker.tls import make_client_context, make_server_context
from phoneterm_bridge.mqtt.connection import MqttConnection, NotConnected
from phoneterm_bridge.settings.bridge import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem

LONG_AGO, FAR_AWAY = ("20200101", "20210101"), ("20700101", "20710101")


@pytest.mark.parametrize("whose", ["nobody", "another authority"])
async def test_the_bridge_without_the_right_certificate_says_that_the_broker_asks_for_one(start, make_authority, whose):
    scene, _ = await start("mosquitto", client_ca=make_authority("clients"))
    own = (None, None) if whose == "nobody" else make_authority("other").make_client_files("bridge")
    changes = {"client_certificate_path": own[0], "client_key_path": own[1]}
    with pytest.raises(NotConnected, match="certificate"):
        await try_to_connect(scene.settings.broker.model_copy(update=changes))


@pytest.mark.parametrize(
    ("name", "dates", "reason"),
    [
        (NAME, LONG_AGO, "its certificate is not accepted: certificate has expired"),
        (NAME, FAR_AWAY, "its certificate is not accepted: certificate is not yet valid"),
        ("other.lab", None, "its certificate is not accepted: hostname mismatch, certificate is not valid for"),
    ],
)
async def test_the_bridge_refuses_a_broker_whose_certificate_is_not_right_and_says_why(start, name, dates, reason):
    scene, _ = await start("mosquitto", name, dates)
    with pytest.raises(NotConnected, match=reason):
        await try_to_connect(scene.settings.broker)


async def test_the_bridge_trusts_no_other_authority(start, make_authority):
    scene, _ = await start("mosquitto")
    settings = scene.settings.broker.model_copy(update={"ca_path": make_authority("other").pem_path})
    with pytest.raises(NotConnected, match="its certificate is not accepted: "):
        await try_to_connect(settings)


async def test_the_bridge_says_when_the_broker_has_no_tls(make_authority, tmp_path, make):
    scene = await make.Scene(tmp_path, is_embedded=True).start()
    settings = BrokerSettings(
        embedded=False, host=NAME, port=scene.bridge.broker_port, ca_path=make_authority().pem_path
    )
    with pytest.raises(NotConnected, match=r"it hangs up|there is no TLS with it"):
        await try_to_connect(settings)
    await scene.stop()


async def try_to_connect(settings):
    async def ignore(topic, payload, is_retained):
        pass

    connection = MqttConnection(address_of(settings), (messages.bridge_filter("x"),), will_of("x"), ignore)
    try:
        await connection.open()
    finally:
        await connection.close()


def test_a_certificate_that_cannot_be_used_is_one_sentence(tmp_path):
    (tmp_path / "x.pem").write_text("nothing")
    with pytest.raises(SetupProblem, match=r"are not a certificate and its key in PEM form\.$"):
        make_server_context(tmp_path / "x.pem", tmp_path / "x.pem")
    with pytest.raises(
        SetupProblem, match=r"cannot be read \(No such file or directory\); see broker\.certificate_path and"
    ):
        make_server_context(tmp_path / "none.pem", tmp_path / "none.key")


def test_a_file_of_the_bridges_own_tls_that_cannot_be_used_is_one_sentence(tmp_path):
    (tmp_path / "x.pem").write_text("nothing")
    for files, sentence in (
        ({"ca_path": tmp_path / "x.pem"}, r"\(broker\.ca_path\) is not a CA in PEM form\.$"),
        ({"ca_path": tmp_path / "none.pem"}, r"cannot be read \(No such file or directory\); see broker\.ca_path\.$"),
    ):
        with pytest.raises(SetupProblem, match=sentence):
            make_client_context(BrokerSettings(embedded=False, **files))


def test_a_ca_of_clients_that_is_none_is_one_sentence(tmp_path):
    certificate, key = (tmp_path / name for name in ("b.pem", "b.key"))
    authority = Authority(tmp_path / "authority")
    for path, content in zip((certificate, key), authority.make_server_files(NAME).values(), strict=True):
        path.write_bytes(content)
    with pytest.raises(SetupProblem, match=r"\(broker\.client_ca_path\) is not a CA in PEM form\.$"):
        make_server_context(certificate, key, key)


async def test_a_bridge_whose_ca_is_not_there_does_not_start_and_leaves_nothing_behind(tmp_path, make):
    scene = make.Scene(tmp_path, broker=BrokerSettings(embedded=False, ca_path=tmp_path / "none.pem"))
    with pytest.raises(SetupProblem, match=r"see broker\.ca_path\.$"):
        await scene.start()
    scene.engine.dispose()
