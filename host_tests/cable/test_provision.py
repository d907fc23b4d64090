"""Provisioning over the cable: the whole firmware on the real MicroPython, a store, and its bridge."""

import asyncio
import json
import os
import threading
from pathlib import Path

import pytest
from attack_lab.scenery.waiting import until
from cable.bridge_site import HERE, TID, WIFI, texts_of
from cable.faulty_cables import CableLostAtTheProof
from cable.serial_board import WITH_PSRAM
from device.authority import Authority, is_possible
from device_cable.cable import Cable
from device_cable.cli.desk import Desk
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.store import passwords
from phoneterm_bridge.store.database import writing
from phoneterm_bridge.store.sightings import Sighting, write_all


@pytest.fixture
async def live(site, flashed, plug_in):
    """A site whose bridge runs, and a board with the whole firmware at the cable; returns (site, board)."""
    await site.start()
    site.bench.put_in(flashed)
    return site, plug_in()


def content_of(path):
    return Path(path).read_bytes()


def write_content(path, content):
    path.write_bytes(content)


def assert_works(site, board):
    """The secrets on the board are those of the store."""
    texts = texts_of(board)
    assert bytes.fromhex(texts["mac_key"]) == site.record().key
    assert passwords.is_password(site.record().password_hash, texts["mqtt_password"])


async def test_a_board_becomes_a_terminal_that_reaches_its_bridge(live):
    site, board = live
    printed = await asyncio.to_thread(site.provision)
    assert "The board is phone-101, the terminal of extension 101; it is enrolled in the store." in printed
    assert "It talks to its broker without TLS: commands and answers are signed, but whoever can listen" in printed
    assert "The terminal is ready: its bridge and the PBX are there." in printed
    await until(lambda: site.bridge.parts.sessions.live(TID) is not None)  # it has said a hello with the right key
    assert_works(site, board)
    assert texts_of(board)["wifi_password"] == "correct horse"


async def test_no_secret_is_printed_or_stays_in_a_file(live):
    site, board = live
    printed = await asyncio.to_thread(site.provision)
    texts = texts_of(board)
    secrets = [texts[key] for key in ("wifi_password", "mqtt_password", "mac_key")]
    said = bytes(board.said).decode(errors="replace")
    for secret in secrets:
        assert secret not in printed
        assert secret not in said  # the raw prompt does not echo
    site.engine.dispose()
    files = [path for path in site.bench.folder.rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], path
    store_key = bytes.fromhex(texts["mac_key"])
    assert [path for path in files if store_key in path.read_bytes()]  # so the search does work


async def test_a_terminal_gets_new_keys_at_the_cable_and_the_old_ones_stop_working(live):
    site, board = live
    await asyncio.to_thread(site.provision)
    before, record = texts_of(board), site.record()
    printed = await asyncio.to_thread(site.run, "rotate")
    assert "phone-101 has new keys, on the board and in the store" in printed
    assert "The terminal is ready" in printed
    assert_works(site, board)
    assert site.record().secrets != record.secrets
    changed = {key for key, text in texts_of(board).items() if before[key] != text}
    assert changed == {"mqtt_password", "mac_key"}


async def test_the_terminal_of_an_extension_is_brought_with_its_rights_and_new_keys(live):
    site, board = live
    old = site.directory.add_terminal("t101", "101")
    site.directory.set_classes("t101", ("internal", "national"))
    printed = await asyncio.to_thread(site.provision)
    assert "t101 is enrolled for extension 101: it keeps its rights and gets new keys." in printed
    assert "The board is t101, the terminal of extension 101; its old secrets are worth nothing." in printed
    assert "The terminal is ready" in printed
    assert "| t101                  |" in printed  # the label
    assert site.record("t101").classes == ("internal", "national")
    assert texts_of(board)["mac_key"] == site.record("t101").key.hex() != old.mac_key.hex()
    assert site.record() is None  # no second terminal
    await asyncio.to_thread(site.provision, "--wait", "0")
    assert texts_of(board)["tid"] == "t101"
    assert site.record() is None


async def test_a_second_terminal_for_an_extension_is_enrolled_only_when_that_is_said(site, plug_in):
    plug_in()
    site.directory.add_terminal(TID, "101")
    printed = await asyncio.to_thread(site.provision, "--tid", "second", exit_code=1)
    assert printed.startswith("Extension 101 has the terminal phone-101 already: leave --tid out")
    printed = await asyncio.to_thread(site.provision, "--another", "--tid", TID, exit_code=1)
    assert printed.startswith("The terminal 'phone-101' is enrolled already: ANOTHER=1 (--another) needs a new id.")
    assert site.record("second") is None
    printed = await asyncio.to_thread(site.provision, "--another", "--wait", "0")
    assert "The board is phone-101-2, the terminal of extension 101; it is enrolled in the store." in printed
    printed = await asyncio.to_thread(site.provision, "--wait", "0", exit_code=1)
    assert printed.startswith("Extension 101 has the terminals phone-101, phone-101-2: say with --tid")
    await asyncio.to_thread(site.provision, "--tid", "phone-101-2", "--wait", "0")


async def test_a_terminal_in_service_goes_to_a_blank_board_only_when_somebody_agrees(site, plug_in):
    board = plug_in()
    site.directory.add_terminal(TID, "101")
    write_all(site.engine, [Sighting(TID, True, 1_700_000_000_000, "boot", "1.0", "BENCH")])
    before = site.record().secrets
    for typed, words in (("n\n", "Nothing was changed."), ("", "Nobody answered, and nothing was changed")):
        printed = await asyncio.to_thread(site.provision, exit_code=1, typed=typed)
        assert "phone-101 has been in service, last on 14 November 2023" in printed
        assert words in printed
        assert "ANOTHER=1, --another, enrols one more" in printed
        assert (texts_of(board), site.record().secrets) == ({}, before)
    assert "Ask, unless it is phone-101 already" in await asyncio.to_thread(site.provision, "--dry-run")
    await asyncio.to_thread(site.provision, "--another", "--wait", "0")  # no question
    assert texts_of(board)["tid"] == "phone-101-2"
    await asyncio.to_thread(site.bench.run, "wipe", "--yes")
    await asyncio.to_thread(site.provision, "--tid", TID, "--wait", "0", typed="y\n")
    assert_works(site, board)
    assert "in service" not in await asyncio.to_thread(site.provision, "--tid", TID, "--wait", "0")  # it is this board
    await asyncio.to_thread(site.bench.run, "wipe", "--yes")
    await asyncio.to_thread(site.provision, "--tid", TID, "--again", "--wait", "0")
    assert_works(site, board)


async def test_a_board_that_is_another_terminal_is_left_alone_unless_that_is_said(site, plug_in):
    board = plug_in(settings={"tid": "phone-999"})
    printed = await asyncio.to_thread(site.provision, exit_code=1)
    assert "is the terminal 'phone-999' already: plug in the one that is to be phone-101" in printed
    assert (texts_of(board), site.record()) == ({"tid": "phone-999"}, None)
    site.directory.add_terminal(TID, "101")
    await asyncio.to_thread(site.provision, "--again", "--wait", "0")
    assert_works(site, board)


@pytest.mark.parametrize("settings", [None, "[broker]\nallow_plain = true\n"])
async def test_without_a_bridge_on_this_computer_nothing_is_enrolled_here(bench, plug_in, settings):
    board = plug_in()
    if settings:
        (bench.folder / "phoneterm.toml").write_text(settings)
    options = ("--extension", "101", "--mqtt-host", HERE)
    for command, named, remedy in (
        ("provision", options, "take the file that the bridge's machine wrote for the terminal"),
        ("rotate", (), "`phoneterm terminal rotate TID --output FILE` on the bridge's machine writes new keys"),
    ):
        printed = await asyncio.to_thread(bench.run, command, *named, exit_code=1, environment=WIFI)
        assert printed.startswith("There is no store" if settings else "There is no bridge on this computer (no --conf")
        assert remedy in printed
    assert bytes(board.sent) == b""
    assert not list(bench.folder.rglob("*.db"))


async def test_a_file_that_is_not_there_is_told_before_anybody_is_asked(bench, plug_in):
    board = plug_in()
    printed = await asyncio.to_thread(bench.run, "provision", "--settings", "nowhere", exit_code=1, environment={})
    assert printed.startswith("There is no file or folder nowhere")
    assert bytes(board.sent) == b""


async def test_a_terminal_that_is_not_ready_is_no_success(live):
    site, _ = live
    await site.bridge.stop()
    site.bridge = None
    printed = await asyncio.to_thread(site.provision, "--wait", "2", exit_code=1)
    assert "The terminal runs, but was not ready after 2 s" in printed
    assert "If the bridge at its address runs on another machine than this one: On any other computer" in printed


async def test_a_wiped_board_has_no_settings_and_says_so(live):
    site, board = live
    await asyncio.to_thread(site.provision)
    printed = await asyncio.to_thread(site.bench.run, "wipe", "--yes")
    assert "make provision with AGAIN=1 makes a board this terminal again" in printed
    assert "`phoneterm terminal remove phone-101` on the bridge's machine removes it" in printed
    assert "revoke" not in printed
    assert texts_of(board) == {}
    board.said.clear()
    assert "is not set up yet" in await asyncio.to_thread(site.bench.run, "flash")


async def test_nothing_is_wiped_without_a_yes(site, plug_in):
    board = plug_in(settings={"tid": TID})
    for typed, words in (("n\n", "Nothing was erased."), ("", "Nobody answered, and nothing was erased; ARGS=--yes")):
        assert words in await asyncio.to_thread(site.bench.run, "wipe", exit_code=1, typed=typed)
    assert texts_of(board) == {"tid": TID}


async def test_a_cable_that_is_pulled_before_the_settings_are_there_leaves_the_store_untouched(site, plug_in):
    board = plug_in()
    board.unplug_at = b"set_blob"
    printed = await asyncio.to_thread(site.provision, exit_code=1)
    assert "The store was not changed; the board may have the new secrets or the old ones" in printed
    assert site.record() is None
    board.__exit__()
    board = plug_in()
    await asyncio.to_thread(site.provision, "--wait", "0")
    assert_works(site, board)


async def test_a_proof_that_does_not_come_leaves_the_store_untouched(site, plug_in):
    board = plug_in()
    site.bench.desk = Desk(open_cable=CableLostAtTheProof)
    printed = await asyncio.to_thread(site.provision, exit_code=1)
    assert printed.startswith("The board does not answer. The store was not changed;")
    assert site.record() is None
    site.bench.desk = Desk()
    await asyncio.to_thread(site.provision, "--wait", "0")
    assert_works(site, board)


async def test_a_store_that_cannot_be_written_is_told_with_what_the_board_is_worth(site, plug_in):
    board = plug_in()
    with writing(site.engine) as connection:
        full = "CREATE TRIGGER full BEFORE INSERT ON terminals BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        connection.exec_driver_sql(full)
    printed = await asyncio.to_thread(site.provision, exit_code=1)
    assert "The board has new secrets that the store does not know" in printed
    with writing(site.engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    await asyncio.to_thread(site.provision, "--wait", "0")
    assert_works(site, board)


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(site, plug_in):
    board = plug_in()
    printed = await asyncio.to_thread(site.provision, "--dry-run")
    assert f"Stop the terminal on the BENCH at {board.port}." in printed
    assert "mac_key = (secret)" in printed
    assert "wifi_ssid = office" in printed
    assert "correct horse" not in printed
    assert "Enrol it for extension 101 in the store as phone-101." in printed
    assert printed.endswith("Nothing was done.\n")
    assert (site.record(), texts_of(board), bytes(board.sent)) == (None, {}, b"")


async def test_wifi_can_be_asked_for(site, plug_in):
    board = plug_in()
    printed = await asyncio.to_thread(site.provision, "--wait", "0", environment={}, typed="home\nhidden word\n")
    assert "hidden word" not in printed
    assert (texts_of(board)["wifi_ssid"], texts_of(board)["wifi_password"]) == ("home", "hidden word")


async def test_wifi_can_come_from_a_private_file(site, plug_in):
    board = plug_in()
    file = site.bench.folder / "wifi.toml"
    file.write_text('wifi_ssid = "lab"\nwifi_password = "in a file"\n')
    file.chmod(0o644)
    printed = await asyncio.to_thread(site.provision, "--wifi", str(file), exit_code=1)
    assert printed == f"The file {file} can be read by others: chmod 600 {file}.\n"
    file.chmod(0o600)
    await asyncio.to_thread(site.provision, "--wait", "0", "--wifi", str(file))
    assert texts_of(board)["wifi_password"] == "in a file"
    file.write_text('wifi_password = "in a file"\n')
    printed = await asyncio.to_thread(site.provision, "--wifi", str(file), exit_code=1)
    assert printed.startswith(f"The file {file} must have wifi_ssid and wifi_password")


@pytest.mark.parametrize(
    ("ssid", "password"),
    [
        (' Büro "2" ', " a'b\\c\"d  "),
        ("x" * 32, "ü" * 31),
        ("\u2615" * 10, "0123456789abcDEF" * 4),
        ("hidden", ""),
    ],
)
async def test_name_and_password_of_the_wifi_arrive_as_they_are(site, plug_in, ssid, password):
    board = plug_in()
    file = site.bench.folder / "wifi.toml"
    text = f"wifi_ssid = {json.dumps(ssid)}\nwifi_password = {json.dumps(password)}\n"
    file.write_text(f"\ufeff{text}", encoding="utf-8")  # as an editor of Windows writes it
    file.chmod(0o600)
    await asyncio.to_thread(site.provision, "--wait", "0", "--wifi", str(file))
    assert texts_of(board)["wifi_ssid"] == ssid
    assert texts_of(board).get("wifi_password", "") == password
    await asyncio.to_thread(site.provision, "--wait", "0", environment={}, typed=f"{ssid}\n{password}\n")
    assert texts_of(board)["wifi_ssid"] == ssid
    assert texts_of(board).get("wifi_password", "") == password


@pytest.mark.parametrize(
    ("options", "environment", "sentence"),
    [
        (("--extension", "999"), WIFI, "There is no extension '999': `phoneterm user add NAME --extension 999`"),
        (("--extension", ""), WIFI, "Name the extension whose calls the terminal transfers with EXT="),
        (("--tid", "No Good"), WIFI, "A terminal's id has 1 to 32 of a-z, 0-9 and '-'."),
        (("--mqtt-host", "127.0.0.1"), WIFI, "For a board, 127.0.0.1 is the board itself"),
        (("--mqtt-host", "0.0.0.0"), WIFI, "every address of its machine (0.0.0.0), but a board needs one of them"),
        (("--mqtt-host", "", "--set", "broker.host=::"), WIFI, "every address of its machine (::), but a board"),
        (("--mqtt-host", "LOCALHOST."), WIFI, "For a board, LOCALHOST. is the board itself"),
        (("--mqtt-host", "::ffff:127.0.0.1"), WIFI, "is the board itself"),
        (("--mqtt-host", "255.255.255.255"), WIFI, "For a board, 255.255.255.255 is no machine's address"),
        (("--mqtt-host", " broker.example"), WIFI, "address alone, not ' broker.example'"),
        (("--mqtt-host", "broker.example\t"), WIFI, r"address alone, not 'broker.example\t'"),
        (("--mqtt-host", "x" * 129), WIFI, "The broker's address is a host's name or IP address alone"),
        (("--time-host", "ntp://time.example"), WIFI, "The time server is a host's name or IP address alone"),
        (("--time-host", "localhost"), WIFI, "For a board, localhost is no time server"),
        (("--tls-host", "broker.example"), WIFI, "(--tls-host) is for a broker that shows one"),
        (("--mqtt-host", "broker.example:1883"), WIFI, "address alone, not 'broker.example:1883': HOST= (--mqtt-host)"),
        (("--mqtt-host", "mqtt://broker"), WIFI, "address alone, not 'mqtt://broker'"),
        (("--mqtt-host", "a..b"), WIFI, "address alone, not 'a..b'"),
        (("--mqtt-host", "a-.b"), WIFI, "address alone, not 'a-.b'"),
        (("--mqtt-host", "10.0.0.500"), WIFI, "address alone, not '10.0.0.500'"),
        (("--mqtt-host", "bro\nker"), WIFI, r"address alone, not 'bro\nker'"),
        (
            ("--set", "broker.allow_plain=false"),
            WIFI,
            "would refuse this: The setting tls must not be off",
        ),
        (("--again",), WIFI, "There is no terminal 'phone-101' yet"),
        ((), {"PHONETERM_WIFI_SSID": "x" * 33}, "The name of a Wi-Fi network has 1 to 32 bytes."),
        ((), WIFI | {"PHONETERM_WIFI_SSID": "office\r"}, "The name of a Wi-Fi network has a control character in it"),
        ((), WIFI | {"PHONETERM_WIFI_SSID": "b\udcfcro"}, "The name of a Wi-Fi network is not UTF-8."),
        ((), WIFI | {"PHONETERM_WIFI_PASSWORD": "short"}, "A Wi-Fi password has 8 to 63 characters"),
        ((), WIFI | {"PHONETERM_WIFI_PASSWORD": "correct\thorse"}, "The Wi-Fi password has a control character in it"),
        ((), WIFI | {"PHONETERM_WIFI_PASSWORD": "x" * 64}, "or is a key of 64 hex digits"),
        ((), WIFI | {"PHONETERM_WIFI_PASSWORD": "a" * 65}, "or is a key of 64 hex digits"),
        ((), {}, "Nobody answered: name the network with PHONETERM_WIFI_SSID"),
    ],
)
async def test_what_cannot_be_is_refused_before_the_board_is_touched(site, plug_in, options, environment, sentence):
    board = plug_in()
    printed = await asyncio.to_thread(site.provision, *options, exit_code=1, environment=environment)
    assert sentence in printed
    assert (site.record(), bytes(board.sent)) == (None, b"")


async def test_a_revoked_terminal_is_not_enrolled_again(site, plug_in):
    plug_in()
    site.directory.add_terminal(TID, "101")
    site.directory.revoke_terminal(TID)
    printed = await asyncio.to_thread(site.provision, "--again", exit_code=1)
    assert printed == "The terminal 'phone-101' was revoked for good: name another id with --tid.\n"


async def test_keys_are_not_rotated_on_a_board_of_another_store(site, plug_in):
    plug_in(settings={"tid": "phone-999"})
    printed = await asyncio.to_thread(site.run, "rotate", exit_code=1)
    assert printed.startswith("The board is no terminal of this store: make provision")


async def test_secrets_never_stand_in_the_list_of_processes(site, plug_in):
    board = plug_in()
    seen, is_over = set(), threading.Event()

    def watch():
        while not is_over.is_set():
            for name in filter(str.isdecimal, os.listdir("/proc")):
                try:
                    with open(f"/proc/{name}/cmdline", "rb") as file:
                        seen.add(file.read())
                except OSError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    await asyncio.to_thread(site.provision, "--wait", "0")
    is_over.set()
    watcher.join()
    for key in ("wifi_password", "mqtt_password", "mac_key"):
        assert not [line for line in seen if texts_of(board)[key].encode() in line]


@pytest.fixture
async def tls_site(site):
    """A site whose running bridge has a broker with TLS, and a certificate for the name that a board uses."""
    if not is_possible():
        pytest.skip("openssl is not on this machine: install the package openssl.")
    authority = Authority(site.bench.folder / "authority")
    lines = ["[broker]", "port = 0", f'ca_path = "{authority.pem_path}"']
    keys = {"certfile": "certificate_path", "keyfile": "key_path"}
    for option, content in authority.make_server_files(HERE).items():
        write_content(site.bench.folder / option, content)
        lines.append(f'{keys[option]} = "{option}"')
    site.config.write_text("\n".join([*lines, "[store]", 'path = "bridge.db"', ""]))
    site.settings = load_settings(site.config)
    site.authority = authority
    await site.start()
    return site


async def test_with_tls_the_board_gets_the_ca_and_reaches_its_broker_by_it(tls_site, flashed, plug_in):
    bench = tls_site.bench
    bench.put_in(flashed)
    board = plug_in(uname=WITH_PSRAM)
    printed = await asyncio.to_thread(tls_site.provision)
    assert "The terminal is ready: its bridge and the PBX are there." in printed
    assert (texts_of(board)["tls"], texts_of(board)["tls_ca_path"]) == ("ca", "ca.der")
    await asyncio.to_thread(bench.run, "smoke", "--no-keys")
    (result,) = (bench.folder / "build/smoke").glob("*.txt")
    assert "tls_ms" in content_of(result).decode()
    assert "not measured" not in content_of(result).decode()
    with Cable(bench.port) as cable:
        cable.enter()
        hexed = cable.run("import binascii\nprint(binascii.hexlify(open('ca.der', 'rb').read()).decode())")
    assert bytes.fromhex(hexed.strip()) == content_of(tls_site.authority.der_path)


async def test_with_tls_only_an_address_or_name_that_the_certificate_carries_is_taken(tls_site, plug_in):
    board = plug_in(uname=WITH_PSRAM)
    printed = await asyncio.to_thread(tls_site.provision, "--mqtt-host", "other.test", exit_code=1)
    assert "The broker's certificate is for broker.test, not for other.test, so terminals" in printed
    printed = await asyncio.to_thread(
        tls_site.provision, "--mqtt-host", "", "--set", "broker.host=0.0.0.0", exit_code=1
    )
    assert "name it with HOST= (--mqtt-host) (its certificate is for broker.test)." in printed
    printed = await asyncio.to_thread(tls_site.provision, "--tls-host", "other.test", exit_code=1)
    assert "not for other.test" in printed
    assert bytes(board.sent) == b""
    bench = tls_site.bench
    bench.write_firmware()
    await asyncio.to_thread(bench.run, "flash")
    named = ("--mqtt-host", "other.test", "--tls-host", HERE, "--time-host", "time.test")
    printed = await asyncio.to_thread(tls_site.provision, *named)
    assert "The terminal is ready: its bridge and the PBX are there." in printed
    assert [texts_of(board)[key] for key in ("mqtt_host", "tls_host", "time_host")] == ["other.test", HERE, "time.test"]
