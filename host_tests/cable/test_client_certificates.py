"""A terminal's own certificate and shared key: checked, written to a board, and erased again."""

import asyncio
import hashlib
import subprocess
import tempfile
from pathlib import Path

import pytest
from attack_lab.scenery.waiting import until
from cable.bridge_site import HERE, TID, texts_of
from cable.serial_board import WITH_PSRAM
from device.authority import Authority, is_possible
from device_cable import files
from device_cable.cable import Cable
from device_cable.client_certificate import read_client_certificate
from phoneterm_bridge.broker.tls_psk import derive_psk
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.settings.problem import SetupProblem

OURS = {"ca.der", "cert.der", "key.der", "ca.der.new", "cert.der.new", "key.der.new"}


@pytest.fixture
def make_authority(bench):
    """Return a function that makes a CA in a folder of this name."""
    if not is_possible():
        pytest.skip("openssl is not on this machine: install the package openssl.")
    return lambda name: Authority(bench.folder / name)


@pytest.fixture
def strict_site(site, make_authority):
    """A site whose broker requires certificates; `site.pair` is a terminal's, as PEM files."""
    site.authority = make_authority("authority")
    lines = ["[broker]", "port = 0"]
    keys = {"certfile": "certificate_path", "keyfile": "key_path"}
    for option, content in site.authority.make_server_files(HERE).items():
        write_content(site.bench.folder / option, content)
        lines.append(f'{keys[option]} = "{option}"')
    lines += [f'{key} = "{site.authority.pem_path}"' for key in ("ca_path", "client_ca_path")]
    site.config.write_text("\n".join([*lines, "[store]", 'path = "bridge.db"', ""]))
    site.settings = load_settings(site.config)
    site.pair = site.authority.make_client_files(TID)
    return site


@pytest.fixture
def psk_site(site):
    """A site for a mosquitto with TLS-PSK."""
    lines = ["[broker]", "embedded = false", f'host = "{HERE}"', "psk_port = 8884", "allow_plain = true"]
    site.config.write_text("\n".join([*lines, "[store]", 'path = "bridge.db"', ""]))
    return site


def content_of(path):
    return Path(path).read_bytes()


def write_content(path, content):
    path.write_bytes(content)
    path.chmod(0o600)


def in_der(pair):
    """Return the same pair's files in DER form."""
    return tuple(path.with_suffix(".der") for path in pair)


def naming(pair):
    """Return the options that name a pair."""
    return ("--certificate", str(pair[0]), "--key", str(pair[1]))


def hashes_there(bench):
    """Return the hashes of our files on the board."""
    with Cable(bench.port) as cable:
        cable.enter()
        return files.hash_files(cable, sorted(OURS & files.list_files(cable).keys()))


def hashes_of(*contents):
    """Return the hashes of these in the form of `hashes_there`, in the order of their names."""
    names = ("ca.der", "cert.der", "key.der")
    return {name: hashlib.sha256(content).hexdigest() for name, content in zip(names, contents, strict=False)}


@pytest.mark.parametrize("form", ["PEM", "DER"])
async def test_a_board_with_a_certificate_is_let_in_by_a_broker_that_asks_for_one(strict_site, flashed, plug_in, form):
    await strict_site.start()
    bench = strict_site.bench
    bench.put_in(flashed)
    board = plug_in(uname=WITH_PSRAM)
    pair = strict_site.pair if form == "PEM" else in_der(strict_site.pair)
    printed = await asyncio.to_thread(strict_site.provision, *naming(pair))
    assert "The terminal is ready: its bridge and the PBX are there." in printed
    await until(lambda: strict_site.bridge.parts.sessions.live(TID) is not None)
    texts = texts_of(board)
    assert (texts["tls_cert_path"], texts["tls_key_path"]) == ("cert.der", "key.der")
    read = read_client_certificate(*pair)
    assert hashes_there(bench) == hashes_of(content_of(strict_site.authority.der_path), read.certificate, read.key)


async def test_the_key_goes_to_the_board_and_nowhere_else(strict_site, plug_in, monkeypatch):
    board = plug_in(uname=WITH_PSRAM)
    passing = strict_site.bench.folder / "passing"
    passing.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(passing))
    printed = await asyncio.to_thread(strict_site.provision, *naming(strict_site.pair), "--wait", "0")
    end = read_client_certificate(*strict_site.pair).key[-100:]  # in one piece of what is sent
    parts = (end[at : at + 10] for at in range(90))
    secret = next(part for part in parts if not set(part) & set(b"'\""))  # how these are sent depends on the rest
    forms = [secret, secret.hex().encode(), repr(secret)[2:-1].encode()]
    assert [form for form in forms if form in bytes(board.sent)]  # so the search works on sent data
    assert not [form for form in forms if form in printed.encode() or form in bytes(board.said)]
    assert list(passing.iterdir()) == []


async def test_a_dry_run_names_the_files_and_touches_nothing(strict_site, plug_in):
    board = plug_in(uname=WITH_PSRAM)
    printed = await asyncio.to_thread(strict_site.provision, *naming(strict_site.pair), "--dry-run")
    assert "tls_cert_path = cert.der" in printed
    assert "tls_key_path = key.der" in printed
    assert f"key.der, {len(read_client_certificate(*strict_site.pair).key)} bytes" in printed
    assert bytes(board.sent) == b""


async def test_a_terminal_without_a_certificate_is_refused_where_the_broker_asks_for_one(strict_site, plug_in):
    board = plug_in(uname=WITH_PSRAM)
    printed = await asyncio.to_thread(strict_site.provision, exit_code=1)
    assert printed.startswith("The broker lets nobody in without a certificate (broker.client_ca_path): name")
    assert (strict_site.record(), bytes(board.sent)) == (None, b"")


async def test_a_certificate_of_another_ca_is_refused_before_the_board_is_touched(strict_site, plug_in, make_authority):
    board = plug_in(uname=WITH_PSRAM)
    foreign = make_authority("other").make_client_files(TID)
    printed = await asyncio.to_thread(strict_site.provision, *naming(foreign), exit_code=1)
    assert printed.startswith(f"The broker would not accept the certificate {foreign[0]}: ")
    assert printed.endswith(f"have one made by the CA {strict_site.authority.pem_path} (broker.client_ca_path).\n")
    assert (strict_site.record(), bytes(board.sent)) == (None, b"")


async def test_a_certificate_that_the_terminal_would_not_show_is_refused(site, make_authority, plug_in):
    board = plug_in(uname=WITH_PSRAM)
    pair = make_authority("authority").make_client_files(TID)
    printed = await asyncio.to_thread(site.provision, *naming(pair), exit_code=1)
    assert "would show no certificate, because the bridge's settings make it connect with tls = off" in printed
    assert (site.record(), bytes(board.sent)) == (None, b"")


async def test_provisioning_for_another_way_takes_the_files_of_the_first_away(strict_site, plug_in):
    board = plug_in(uname=WITH_PSRAM)
    await asyncio.to_thread(strict_site.provision, *naming(strict_site.pair), "--wait", "0")
    strict_site.config.write_text('[broker]\nport = 0\nallow_plain = true\n[store]\npath = "bridge.db"\n')
    await asyncio.to_thread(strict_site.provision, "--again", "--wait", "0")
    assert "tls_cert_path" not in texts_of(board)
    assert hashes_there(strict_site.bench) == {}


async def test_new_keys_leave_the_certificate(strict_site, plug_in):
    plug_in(uname=WITH_PSRAM)
    bench = strict_site.bench
    await asyncio.to_thread(strict_site.provision, *naming(strict_site.pair), "--wait", "0")
    before = hashes_there(bench)
    await asyncio.to_thread(strict_site.run, "rotate", "--wait", "0")
    assert hashes_there(bench) == before != {}


async def test_a_wiped_board_has_no_certificate_and_no_half_written_key(strict_site, plug_in):
    board = plug_in(uname=WITH_PSRAM)
    bench = strict_site.bench
    await asyncio.to_thread(strict_site.provision, *naming(strict_site.pair), "--wait", "0")
    with Cable(bench.port) as cable:
        cable.enter()
        cable.write_file("key.der.new", b"half a key", lambda _: None)
        cable.write_file("mine.der", b"named by a setting", lambda _: None)
        cable.write_file("notes.txt", b"of somebody else", lambda _: None)
        cable.run("import esp32\ns = esp32.NVS('phoneterm')\ns.set_blob('tls_ca_path', b'mine.der')\ns.commit()")
    await asyncio.to_thread(bench.run, "wipe", "--yes")
    assert texts_of(board) == {}
    with Cable(bench.port) as cable:
        cable.enter()
        left = files.list_files(cable)
    assert "notes.txt" in left
    assert not (OURS | {"mine.der"}) & left.keys()


async def test_a_shared_key_is_handed_out_and_renewed_with_the_others(psk_site, plug_in):
    board = plug_in(uname=WITH_PSRAM)
    printed = await asyncio.to_thread(psk_site.provision, "--wait", "0")
    assert "mosquitto does not know the terminal's new secrets yet" in printed
    first = texts_of(board)
    assert (first["tls"], first["tls_psk"]) == ("psk", derive_psk(psk_site.record().key))
    printed = await asyncio.to_thread(psk_site.run, "rotate", "--wait", "0")
    assert "write its files anew (`phoneterm broker config FOLDER`), then reload it" in printed
    second = texts_of(board)
    assert second["tls_psk"] == derive_psk(psk_site.record().key) != first["tls_psk"]
    assert second["tls_psk"] not in printed
    assert {key for key in first if first[key] != second[key]} == {"mqtt_password", "mac_key", "tls_psk"}


def make_key(folder, name, *arguments):
    """Make a private key with openssl; returns its path."""
    path = folder / name
    subprocess.run(["openssl", *arguments, "-out", str(path)], check=True, capture_output=True)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("form", ["PEM", "DER"])
@pytest.mark.parametrize("traditional", [True, False])
def test_every_form_of_the_key_is_read(make_authority, bench, form, traditional):
    pair = make_authority("authority").make_client_files(TID)
    arguments = ["pkey", "-in", str(pair[1]), "-outform", form, *(["-traditional"] if traditional else [])]
    key = make_key(bench.folder, "key", *arguments)
    assert read_client_certificate(pair[0], key).certificate == content_of(in_der(pair)[0])


def test_what_is_no_pair_is_refused_by_name(make_authority, bench):
    authority = make_authority("authority")
    pair, other = authority.make_client_files("one"), authority.make_client_files("two")
    rsa = make_key(bench.folder, "rsa.pem", "genpkey", "-algorithm", "RSA")
    locked = make_key(bench.folder, "locked.pem", "pkey", "-in", str(pair[1]), "-aes256", "-passout", "pass:secret")
    garbage, open_key, chain = (bench.folder / name for name in ("garbage", "open.pem", "chain.pem"))
    write_content(garbage, b"nothing")
    write_content(open_key, content_of(pair[1]))
    open_key.chmod(0o640)
    write_content(chain, content_of(pair[0]) + content_of(authority.pem_path))
    for certificate, key, sentence in [
        (pair[0], None, "A certificate and its key only work together: name both"),
        (None, pair[1], "A certificate and its key only work together: name both"),
        (pair[0], other[1], f"The key {other[1]} does not belong to the certificate {pair[0]}."),
        (pair[0], in_der(other)[1], f"The key {in_der(other)[1]} does not belong to the certificate {pair[0]}."),
        (pair[0], rsa, f"The key {rsa} does not belong to the certificate {pair[0]}."),
        (pair[0], locked, f"The file {locked} is not a private key in PEM or DER form without a password"),
        (pair[0], garbage, f"The file {garbage} is not a private key in PEM or DER form"),
        (garbage, pair[1], f"The file {garbage} is not one certificate in PEM or DER form."),
        (chain, pair[1], f"The file {chain} is not one certificate in PEM or DER form."),
        (pair[0], open_key, f"The file {open_key} can be read by others: chmod 600"),
        (pair[0], bench.folder / "none", "cannot be read: No such file or directory."),
        (bench.folder / "none", pair[1], "cannot be read: No such file or directory."),
    ]:
        with pytest.raises(SetupProblem) as refused:
            read_client_certificate(certificate, key)
        assert sentence in str(refused.value)


def test_the_key_is_not_shown_by_its_value(make_authority):
    pair = read_client_certificate(*make_authority("authority").make_client_files(TID))
    assert repr(pair.key) not in repr(pair)


async def test_a_board_without_shared_keys_is_refused_before_anything_is_written(psk_site, plug_in):
    board = plug_in(uname=WITH_PSRAM.replace("1.29", "1.28"))
    printed = await asyncio.to_thread(psk_site.provision, exit_code=1)
    assert "(broker.psk_port), which MicroPython 1.28.0 on the board does not have: put 1.29 or later on it" in printed
    assert "Nothing was written." in printed
    assert (texts_of(board), psk_site.record()) == ({}, None)


async def test_a_board_that_went_back_to_a_micropython_without_shared_keys_gets_no_new_one(psk_site, plug_in):
    board = plug_in(uname=WITH_PSRAM)
    await asyncio.to_thread(psk_site.provision, "--wait", "0")
    texts, record = texts_of(board), psk_site.record()
    board.__exit__()
    board = plug_in(uname=WITH_PSRAM.replace("1.29", "1.28"), settings=texts)
    printed = await asyncio.to_thread(psk_site.run, "rotate", exit_code=1)
    assert "Nothing was written." in printed
    assert (texts_of(board), psk_site.record()) == (texts, record)
