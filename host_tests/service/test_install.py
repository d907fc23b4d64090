"""The bridge is put into service on a bare Debian with systemd, from its wheel alone: installed, upgraded, removed.

Once also from the checkout.
"""

import re

import pytest
from bridge.later_version import SCHEMA
from link_lab.certificates import make_certificates
from phoneterm_bridge.store.schema import known_schemas
from service.wheels import CHECKOUT, LATER

# With everything installed anew several times, on a machine that may be busy.
pytestmark = pytest.mark.timeout(1200)

_NEEDS_WORKBENCH = (
    r"This command needs the workbench, which is not installed here: "
    r"/opt/phoneterm/\S+/bin/python -m pip install 'phoneterm\[workbench\]'\n"
)
_STORE = "/var/lib/phoneterm/phoneterm.db"
_FROM_CHECKOUT = ("python3", "/srv/checkout/tools/phoneterm_service")
_SETTINGS = "/etc/phoneterm/bridge.toml"
_IMPORTS_ZEEP = ("/opt/phoneterm/current/bin/python", "-c", "import zeep")
# Of one that does not answer; the bridge would not start without the packages that ask it.
_OF_A_VOIPNOW = """\
PHONETERM_PBX__KIND=voipnow
PHONETERM_VOIPNOW__URL=https://127.0.0.1:9
PHONETERM_VOIPNOW__CLIENT_ID=terminals
PHONETERM_VOIPNOW__CLIENT_SECRET=hidden
PHONETERM_VOIPNOW__ORGANIZATION=0003
"""
# The unit of a bridge that was put into service by hand, before there was a program for it.
_BY_HAND = """\
[Service]
Type=notify
ExecStart=/opt/phoneterm/bin/phoneterm bridge run --config %d/bridge.toml
LoadCredential=bridge.toml:/etc/phoneterm/bridge.toml
LoadCredential=broker.pem:/etc/phoneterm/broker.pem
LoadCredential=broker.key:/etc/phoneterm/broker.key
EnvironmentFile=-/etc/phoneterm/bridge.env
DynamicUser=yes
StateDirectory=phoneterm
StateDirectoryMode=0700
ProtectSystem=strict

[Install]
WantedBy=multi-user.target
"""


@pytest.fixture
def server(boot_up, wheel):
    """A server that has the wheel and the checkout."""
    return boot_up({"/srv/now": wheel.parent, "/srv/checkout": CHECKOUT})


def installer(wheel, version="now"):
    return ("python3", f"/srv/{version}/{wheel.name}/phoneterm_service")


def in_service(server):
    """Return the process of the bridge that runs as the service: its user, and the version that it runs."""
    number = server.run("systemctl", "show", "-p", "MainPID", "--value", "phoneterm-bridge").strip()
    user = server.run("stat", "-c", "%U", f"/proc/{number}").strip()
    program = server.shell(f"tr '\\0' '\\n' < /proc/{number}/cmdline").splitlines()[0]
    return user, program.removeprefix("/opt/phoneterm/").split("/")[0], number


def modes(server, *paths):
    return server.run("stat", "-c", "%a %U:%G", *paths).splitlines()


@pytest.mark.lasts(50)
def test_one_command_makes_the_service_and_another_removes_it_without_its_data(server, wheel):
    said = server.run(*installer(wheel))
    assert "the service phoneterm-bridge is enabled.\nNext: change /etc/phoneterm/bridge.toml" in said
    assert server.run("systemctl", "is-enabled", "phoneterm-bridge").strip() == "enabled"
    assert modes(server, "/etc/phoneterm", _SETTINGS, "/etc/phoneterm/bridge.env", "/var/lib/phoneterm") == [
        "2750 root:phoneterm", "640 root:phoneterm", "640 root:phoneterm", "700 phoneterm:phoneterm",
    ]  # fmt: skip
    assert "ESP32_GENERIC_S3" in server.run("phoneterm", "board", "list")
    assert "needs the workbench" in server.run("phoneterm", "--help")
    for command in ("run", "firmware build ESP32_GENERIC", "board wiring ESP32_GENERIC", "lab up", "device flash"):
        done = server.try_command("phoneterm", *command.split())
        assert (done.returncode, done.stdout) == (1, ""), command
        assert re.fullmatch(_NEEDS_WORKBENCH, done.stderr), command

    server.run("systemctl", "start", "phoneterm-bridge")
    assert in_service(server)[0] == "phoneterm"
    server.run("systemctl", "reload", "phoneterm-bridge")
    assert in_service(server)[0] == "phoneterm"
    server.run("phoneterm", "user", "add", "anna", "--extension", "101")
    assert "anna" in server.run("runuser", "-u", "phoneterm", "--", "phoneterm", "user", "list")
    doctor = server.try_command("phoneterm", "doctor").stdout
    assert "Only its owner and its group can read the settings file /etc/phoneterm/bridge.toml." in doctor
    assert "The broker 127.0.0.1:1883 answers, and refuses clients without a login." in doctor
    assert "failed" not in server.run("systemctl", "list-units", "--failed", "--no-legend")

    said = server.run(*installer(wheel), "--remove")
    assert "To remove these for good: rm -r /etc/phoneterm /var/lib/phoneterm && userdel phoneterm" in said
    gone = ("/opt/phoneterm", "/usr/local/bin/phoneterm", "/etc/systemd/system/phoneterm-bridge.service")
    assert not [path for path in gone if (server.root / path[1:]).exists()]
    assert server.run("systemctl", "list-units", "--all", "--no-legend", "phoneterm*") == ""
    assert "is not installed" in server.run(*installer(wheel), "--remove")

    assert "the service phoneterm-bridge is enabled and runs." in server.run(*_FROM_CHECKOUT)
    assert "anna" in server.run("phoneterm", "user", "list")
    server.run(*_FROM_CHECKOUT, "--remove")
    server.run("sh", "-c", said.partition("for good: ")[2])
    assert not (server.root / "var/lib/phoneterm").exists()


@pytest.mark.lasts(45)
def test_a_running_bridge_is_upgraded_with_its_store_and_goes_back_by_the_documents_way(boot_up, wheel, later_wheel):
    """It is one that asks a VoipNow for permissions, which each version needs further packages for."""
    server = boot_up({"/srv/now": wheel.parent, "/srv/later": later_wheel.parent})
    server.run(*installer(wheel), "--voipnow")
    server.run("phoneterm", "user", "add", "anna", "--extension", "101")
    with (server.root / "etc/phoneterm/bridge.env").open("a") as environment:
        environment.write(_OF_A_VOIPNOW)
    server.run("systemctl", "start", "phoneterm-bridge")
    before = in_service(server)

    server.shell(f"cp {_SETTINGS} /var/tmp/ && echo 'broker.prot = 1' > {_SETTINGS}")
    refused = server.try_command(*installer(later_wheel, "later"))
    assert refused.returncode == 1
    assert "broker.prot" in refused.stderr
    assert in_service(server) == before
    assert server.run("ls", "/opt/phoneterm").split() == [before[1], "current"]
    server.shell(f"cp /var/tmp/bridge.toml {_SETTINGS}")

    said = server.run(*installer(later_wheel, "later"))
    assert f"The store {_STORE} has schema {SCHEMA} now." in said
    assert f"Version {LATER} is installed; the service phoneterm-bridge is enabled and runs." in said
    assert in_service(server)[:2] == ("phoneterm", f"{LATER}-1")
    assert "anna" in server.run("phoneterm", "user", "list")
    assert server.run("ls", "/opt/phoneterm").split() == [f"{LATER}-1", "current"]
    server.run(*_IMPORTS_ZEEP)

    server.run("systemctl", "stop", "phoneterm-bridge")
    server.run(*installer(wheel))
    server.run(*_IMPORTS_ZEEP)
    refused = server.try_command("phoneterm", "user", "list")
    assert f"has schema {SCHEMA}, which is newer" in refused.stderr
    kept = server.shell(f"ls {_STORE}.schema-{known_schemas()[-1]}-*").strip()
    server.run("phoneterm", "backup", "restore", kept)
    server.run("systemctl", "start", "phoneterm-bridge")
    assert "anna" in server.run("phoneterm", "user", "list")
    assert "failed" not in server.run("systemctl", "list-units", "--failed", "--no-legend")


def install_by_hand(server, certificates):
    """Put the bridge into service as somebody did it before there was a program for it, with TLS."""
    server.shell("python3 -m venv /opt/phoneterm && /opt/phoneterm/bin/pip install --quiet /srv/now/*.whl")
    server.shell("install -d /etc/phoneterm && /opt/phoneterm/bin/phoneterm bridge init")
    folder = server.root / "etc/phoneterm"
    (folder / "broker.pem").write_bytes(certificates.files["certfile"])
    (folder / "broker.key").write_bytes(certificates.files["keyfile"])
    (folder / "bridge.env").write_text('PHONETERM_PBX__SECRET="hidden"\n')
    server.shell("chmod 600 /etc/phoneterm/broker.key /etc/phoneterm/bridge.env")
    tls = '[broker]\ncertificate_path = "broker.pem"\nkey_path = "broker.key"\n'
    settings = folder / "bridge.toml"
    settings.write_text(settings.read_text().replace("[broker]\n", tls, 1))
    (server.root / "etc/systemd/system/phoneterm-bridge.service").write_text(_BY_HAND)
    server.shell("systemctl daemon-reload && systemctl enable --now phoneterm-bridge")
    server.run("/opt/phoneterm/bin/phoneterm", "user", "add", "anna", "--extension", "101")


@pytest.mark.lasts(25)
def test_a_bridge_that_was_put_into_service_by_hand_is_taken_over_with_its_data(server, wheel, tmp_path):
    install_by_hand(server, make_certificates(tmp_path, "localhost"))
    assert (server.root / "var/lib/phoneterm").is_symlink()  # as for every service with a dynamic user

    said = server.run(*installer(wheel))
    assert "is kept as /etc/systemd/system/phoneterm-bridge.service.before" in said
    assert in_service(server)[0] == "phoneterm"
    assert "anna" in server.run("phoneterm", "user", "list")
    assert modes(server, "/var/lib/phoneterm", _STORE, "/etc/phoneterm/broker.key", "/etc/phoneterm/bridge.env") == [
        "700 phoneterm:phoneterm", "600 phoneterm:phoneterm", "640 root:phoneterm", "640 root:phoneterm",
    ]  # fmt: skip
    assert len(server.run("ls", "/opt/phoneterm").split()) == 2


@pytest.mark.parametrize(("prepare", "sentence"), [
    ("touch /usr/local/bin/phoneterm", "Something else is at /usr/local/bin/phoneterm already: move it away.\n"),
    ("rm -r /usr/lib/python3*/ensurepip", "This Python makes no environments: apt-get install python3-venv\n"),
    ("rm -r /run/systemd/system", "This system was not started by systemd, so it can have no service of systemd.\n"),
    ("systemctl mask phoneterm-bridge 2>&1", "/etc/systemd/system/phoneterm-bridge.service is no file: the service is"),
    ("sed -i 's/^find-links/#/' /etc/pip.conf", "Installing the packages failed: "),
])  # fmt: skip
def test_what_stands_in_the_way_is_named_and_nothing_is_left_behind(server, wheel, prepare, sentence):
    server.shell(prepare)
    refused = server.try_command(*installer(wheel))
    assert (refused.returncode, refused.stderr[: len(sentence)]) == (1, sentence)
    assert refused.stderr.count("\n") == 1
    assert server.shell("ls /opt/phoneterm 2>/dev/null; ls /etc/phoneterm 2>/dev/null; true") == ""


def test_only_root_can_install_or_remove_the_service(server, wheel):
    for option in ([], ["--remove"]):
        refused = server.try_command("runuser", "-u", "nobody", "--", *installer(wheel), *option)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == "Only root can install or remove a service: sudo, and the same command.\n"
