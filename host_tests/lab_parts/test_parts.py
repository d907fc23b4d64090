"""Parts are found where they are, and a missing one says how to get it."""

import os
import subprocess

import pytest
from lab_parts import chip, debian_root, parts


@pytest.fixture
def empty_path(monkeypatch, tmp_path):
    """A machine on which no part is on the PATH; returns where its Debian root would be."""
    monkeypatch.setattr(parts.shutil, "which", lambda name, path=None: None)
    monkeypatch.setenv("PHONETERM_PARTS", str(tmp_path / "root"))
    return tmp_path / "root"


def test_a_part_that_is_nowhere_says_which_command_gets_it(empty_path):
    with pytest.raises(parts.PartMissing, match="asterisk is not on this machine: run 'phoneterm parts install'"):
        parts.find("asterisk")


def test_a_half_made_root_counts_as_none(empty_path):
    (empty_path / "usr").mkdir(parents=True)
    with pytest.raises(parts.PartMissing):
        parts.find("sipp")


def test_a_part_in_the_root_runs_there_and_sees_its_folders_there(empty_path, monkeypatch):
    (empty_path / "tmp").mkdir(parents=True)
    (empty_path / ".ready").touch()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    part = parts.find("sipp")
    folder = part.make_folder()
    assert part.argv == ("chroot", str(empty_path), "sipp")
    assert folder.is_relative_to(empty_path / "tmp")
    assert part.inside(folder) == f"/tmp/{folder.name}"


def test_the_older_mosquitto_has_a_root_of_its_own_beside_the_other(empty_path, monkeypatch):
    with pytest.raises(parts.PartMissing, match="run 'phoneterm parts install --tests' as root"):
        parts.find("mosquitto-2.0")
    older = empty_path.with_name("root-mosquitto-2.0")
    older.mkdir(parents=True)
    (older / ".ready").touch()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert parts.find("mosquitto-2.0").argv == ("chroot", str(older), "mosquitto")


def test_the_32_bit_micropython_is_started_by_its_own_loader_without_root(empty_path, monkeypatch):
    with pytest.raises(parts.PartMissing, match="micropython-32 is not on this machine: run 'phoneterm parts install "):
        parts.find("micropython-32")
    root = empty_path.with_name("root-micropython-32")
    root.mkdir(parents=True)
    (root / ".ready").touch()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    libraries = f"{root}/usr/lib/i386-linux-gnu"
    assert parts.find("micropython-32").argv == (
        f"{libraries}/ld-linux.so.2", "--library-path", libraries, f"{root}/usr/bin/micropython",
    )  # fmt: skip


def test_another_processor_cannot_run_it_and_is_named(empty_path, monkeypatch):
    monkeypatch.setattr(parts.platform, "machine", lambda: "aarch64")
    with pytest.raises(parts.PartMissing, match="runs on x86 processors alone, and this one is aarch64"):
        parts.find("micropython-32")


def test_the_two_mosquittos_are_of_two_versions(need_part):
    """So "mosquitto 2.0" in the name of a test means what it says; the other one is whatever this machine has."""
    versions = {}
    for name in ("mosquitto", "mosquitto-2.0"):
        done = subprocess.run([*need_part(name).argv, "-h"], capture_output=True, text=True, check=False)
        versions[name] = done.stdout.split()[2]
    assert versions["mosquitto-2.0"].startswith("2.0.")
    assert versions["mosquitto"].startswith("2.")


def test_only_root_can_run_a_part_in_the_root(empty_path, monkeypatch):
    empty_path.mkdir()
    (empty_path / ".ready").touch()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(parts.PartMissing, match="only root can run it there"):
        parts.find("mosquitto")


def test_making_the_root_without_root_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(debian_root.InstallFailed, match="needs root"):
        debian_root.install(tmp_path / "root")


def test_a_step_that_fails_is_named_with_its_last_words(tmp_path):
    with pytest.raises(debian_root.InstallFailed, match=r"Reading nothing failed: .*No such file"):
        debian_root._run(["ls", str(tmp_path / "absent")], "reading nothing")


def test_an_emulated_chip_that_is_not_named_says_how_to_build_one(monkeypatch):
    monkeypatch.delenv("ESP32_CHIP", raising=False)
    with pytest.raises(parts.PartMissing, match="branch picsimlab-esp32, commit 98f1cbda"):
        chip.find()


def test_an_emulated_chip_that_is_named_and_does_not_start_says_what_it_lacks(monkeypatch, tmp_path):
    program = tmp_path / "chip"
    program.write_text("#!/bin/sh\necho 'chip: libslirp.so.0 missing' >&2\nexit 2\n")
    monkeypatch.setenv("ESP32_CHIP", str(program))
    with pytest.raises(parts.PartMissing, match="which is no program"):
        chip.find()
    program.chmod(0o755)
    with pytest.raises(parts.PartMissing, match=r"does not start: chip: libslirp\.so\.0 missing"):
        chip.find_files(chip.find())
