"""mosquitto as Debian runs it: `phoneterm broker config` and a reload are all that it needs, for terminals and TLS."""

import os
import stat

import pytest
from bridge.debian_mosquitto import DebianMosquitto, is_possible
from bridge.tls.tls_names import NAME
from doctor.reading import change_of, problems, verdicts
from gmqtt.mqtt.handler import MQTTConnectError
from phoneterm_bridge.broker.mosquitto_folder import find_folder
from phoneterm_bridge.broker.shown_certificate import read_shown
from phoneterm_bridge.broker.site_tls import BROKER, BROKER_KEY, CA, SiteTls
from phoneterm_bridge.cli import broker_app
from phoneterm_bridge.doctor.broker import examine_broker
from phoneterm_bridge.doctor.finding import WARNING
from phoneterm_bridge.settings.bridge import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem
from typer.testing import CliRunner

PASSWORD = "a password of the bridge"
SECRET = {"PHONETERM_BROKER__PASSWORD": PASSWORD}


@pytest.fixture(params=["mosquitto", "mosquitto-2.0"])
async def service(request, need_part, tmp_path):
    """Debian's mosquitto, not started yet."""
    part = need_part(request.param)
    if os.geteuid() != 0 or not is_possible(part):
        pytest.skip("only root, with mosquitto in a Debian root of its own, can run it as Debian's service does.")
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents[:2]:
        folder.chmod(folder.stat().st_mode | 0o111)
    service = DebianMosquitto(part, tmp_path)
    yield service
    await service.stop()


@pytest.fixture
async def scene(service, make, tmp_path):
    """A bridge on that mosquitto without TLS; `scene.write()` runs `phoneterm broker config`."""
    broker = BrokerSettings(embedded=False, port=service.port, password=PASSWORD, keepalive_s=5)
    scene = make.Scene(tmp_path, broker=broker)
    texts = (
        f"store.path={scene.settings.store.path}", "broker.embedded=false",
        f"broker.port={service.port}",
    )  # fmt: skip
    scene.write = lambda: service.write_config(PASSWORD, *texts)
    scene.first_output = scene.write()
    await service.start()
    await scene.start()
    yield scene
    await scene.stop()


async def test_debians_own_configuration_stays_as_it_is_and_reads_ours(scene, service, make):
    assert "systemctl restart mosquitto" in scene.first_output
    config, private = service.folder / "conf.d" / "phoneterm.conf", service.folder / "phoneterm"
    assert not (service.folder / "phoneterm.conf").exists()
    assert stat.S_IMODE(config.stat().st_mode) == 0o644
    assert {(path.stat().st_uid, path.stat().st_gid) for path in (private, *private.iterdir())} == {service.user}
    assert {stat.S_IMODE(path.stat().st_mode) for path in private.iterdir()} == {0o600}
    await make.until(lambda: scene.bridge.is_link_up)
    terminal = await scene.terminal()
    assert await terminal.hello()
    assert "owner is not" not in service.log() and "world readable" not in service.log()


async def test_a_terminal_that_was_added_gets_in_after_the_documented_commands(scene, service, make):
    added = scene.directory.add_terminal("phone-102", "101")
    with pytest.raises(MQTTConnectError):
        await make.MqttWire().connect(service.port, "phone-102", added.mqtt_password)
    assert "systemctl reload mosquitto" in scene.write()
    service.reload()
    while True:  # until the signal is received; the test's own time limit ends this
        wire = make.MqttWire()
        try:
            await wire.connect(service.port, "phone-102", added.mqtt_password)
        except MQTTConnectError:
            continue
        break
    await wire.close()
    assert "Nothing has changed" in scene.write()


async def test_a_terminal_that_was_revoked_is_cut_off_and_kept_out_after_the_documented_commands(scene, service, make):
    terminal = await scene.terminal()
    await terminal.hello()
    scene.directory.revoke_terminal(scene.enrolment.tid)
    assert "systemctl reload mosquitto" in scene.write()
    service.reload()
    await make.until(lambda: terminal.wire.is_lost)
    with pytest.raises(MQTTConnectError):
        await make.MqttWire().connect(service.port, scene.enrolment.tid, scene.enrolment.mqtt_password)
    assert scene.bridge.is_link_up


async def test_its_files_survive_a_second_writing_by_root_and_a_restart(scene, service, make):
    scene.directory.add_terminal("phone-102", "101")
    scene.write()
    await service.stop()
    await service.start()
    await make.until(lambda: scene.bridge.is_link_up)


async def test_a_renewed_certificate_is_copied_and_shown_after_a_reload(service, make, tmp_path):
    """As `phoneterm tls renew` says; the key is one that mosquitto's user cannot read where it is made."""
    site = SiteTls(tmp_path / "tls")
    site.make("site", [NAME], 30)
    paths = {"ca_path": site.path(CA), "certificate_path": site.path(BROKER), "key_path": site.path(BROKER_KEY)}
    broker = BrokerSettings(embedded=False, host=NAME, port=service.port, password=PASSWORD, **paths)
    scene = make.Scene(tmp_path, broker=broker)
    texts = (
        f"store.path={scene.settings.store.path}", "broker.embedded=false",
        f"broker.port={service.port}", f"broker.host={NAME}", *(f"broker.{key}={path}" for key, path in paths.items()),
    )  # fmt: skip
    service.write_config(PASSWORD, *texts)
    await service.start()
    await scene.start()
    try:
        await make.until(lambda: scene.bridge.is_link_up)
        before = await read_shown(broker, service.port)
        watch = scene.bridge.parts.certificate
        await make.until(lambda: watch.shown == before)
        assert problems(await examine_broker(broker)) == []
        site.renew([], 600)
        found = await examine_broker(broker)
        assert verdicts(found, "shows another certificate than the one in") == [WARNING]
        assert "phoneterm broker config" in change_of(found, "shows another certificate")
        assert "systemctl reload mosquitto" in service.write_config(PASSWORD, *texts)
        service.reload()
        while (await read_shown(broker, service.port)).der == before.der:
            pass  # until the signal is received; the test's own time limit ends this
        watch.look_now()
        await make.until(lambda: watch.shown.ends_s == site.read(BROKER).not_valid_after_utc.timestamp())
        assert (scene.bridge.is_link_up, scene.bridge.parts.health.link_losses) == (True, 0)
        assert problems(await examine_broker(broker)) == []
    finally:
        await scene.stop()


@pytest.mark.parametrize(
    ("line", "is_refused"),
    [
        ("allow_anonymous true", True),
        ("password_file /etc/mosquitto/other", True),
        ("per_listener_settings true", True),
        ("listener 1884", True),
        ("listener 1999", False),
        ("log_type all", False),
    ],
)
def test_lines_of_others_that_do_not_fit_ours_are_named_before_anything_is_written(tmp_path, make, line, is_refused):
    scene = make.Scene(tmp_path)
    folder = tmp_path / "mosquitto"
    (folder / "conf.d").mkdir(parents=True)
    (folder / "conf.d" / "other.conf").write_text(f"# mine\n{line}\n")
    settings = (f"store.path={scene.settings.store.path}", "broker.embedded=false",
                "broker.port=1884")  # fmt: skip
    owner = f"--owner={os.geteuid()}:{os.getegid()}"
    result = CliRunner().invoke(
        broker_app, ["config", str(folder), owner, *(f"--set={text}" for text in settings)], env=SECRET
    )
    scene.engine.dispose()
    assert (result.exit_code, f"other.conf has the line '{line}'" in result.output) == (int(is_refused), is_refused)
    assert (folder / "conf.d" / "phoneterm.conf").exists() != is_refused


def test_written_again_it_listens_where_it_did_unless_another_address_is_given(tmp_path, make):
    scene = make.Scene(tmp_path)
    config = tmp_path / "m" / "conf.d" / "phoneterm.conf"
    config.parent.mkdir(parents=True)
    settings = (f"store.path={scene.settings.store.path}", "broker.embedded=false",
                "broker.allow_plain=true")  # fmt: skip
    common = ["config", str(tmp_path / "m"), f"--owner={os.geteuid()}:{os.getegid()}"]
    for option, address in (([], "127.0.0.1"), (["--listen=0.0.0.0"], "0.0.0.0"), ([], "0.0.0.0")):
        arguments = [*common, *option, *(f"--set={text}" for text in settings)]
        assert CliRunner().invoke(broker_app, arguments, env=SECRET).exit_code == 0
        assert f"listener 1883 {address}" in config.read_text().splitlines()
    scene.engine.dispose()


def test_where_debians_package_is_not_installed_nothing_is_put_in_its_way(tmp_path):
    with pytest.raises(SetupProblem, match=r"apt install mosquitto"):
        find_folder(tmp_path, None, debian=tmp_path)
    (tmp_path / "conf.d").mkdir()
    assert find_folder(tmp_path, None, debian=tmp_path).config == tmp_path / "conf.d" / "phoneterm.conf"


def test_without_the_user_mosquitto_it_is_one_sentence(tmp_path, make):
    if os.geteuid() != 0:
        pytest.skip("only root gives files away.")
    scene = make.Scene(tmp_path)
    (tmp_path / "m" / "conf.d").mkdir(parents=True)
    settings = (f"store.path={scene.settings.store.path}", "broker.embedded=false")
    arguments = ["config", str(tmp_path / "m"), "--owner=nobody-here", *(f"--set={text}" for text in settings)]
    result = CliRunner().invoke(broker_app, arguments, env=SECRET)
    scene.engine.dispose()
    assert (result.exit_code, result.output.count("\n"), "There is no user 'nobody-here'" in result.output) == (
        1,
        1,
        True,
    )
