"""Parts are found where they are, and a missing one says how to get it."""

import subprocess
from dataclasses import replace

import pytest
from lab_parts import chip, debian_root, parts
from lab_parts.machine import ROOT_USER, Machine

# Machines on which no part is on the PATH.
ROOT = Machine("", ROOT_USER, "x86_64")
SOMEBODY = replace(ROOT, user_id=1000)


@pytest.fixture
def empty_root(monkeypatch, tmp_path):
    """The path where the Debian root would be."""
    monkeypatch.setenv("PHONETERM_PARTS", str(tmp_path / "root"))
    return tmp_path / "root"


def test_a_part_that_is_nowhere_says_which_command_gets_it(empty_root):
    with pytest.raises(parts.PartMissing, match="asterisk is not on this machine: run 'phoneterm parts install'"):
        parts.find("asterisk", ROOT)


def test_a_half_made_root_counts_as_none(empty_root):
    (empty_root / "usr").mkdir(parents=True)
    with pytest.raises(parts.PartMissing):
        parts.find("sipp", ROOT)


def test_a_part_in_the_root_runs_there_and_sees_its_folders_there(empty_root):
    (empty_root / "tmp").mkdir(parents=True)
    (empty_root / ".ready").touch()
    part = parts.find("sipp", ROOT)
    folder = part.make_folder()
    assert part.argv == ("chroot", str(empty_root), "sipp")
    assert folder.is_relative_to(empty_root / "tmp")
    assert part.inside(folder) == f"/tmp/{folder.name}"


def test_the_older_mosquitto_has_a_root_of_its_own_beside_the_other(empty_root):
    with pytest.raises(parts.PartMissing, match="run 'phoneterm parts install --tests' as root"):
        parts.find("mosquitto-2.0", ROOT)
    older = empty_root.with_name("root-mosquitto-2.0")
    older.mkdir(parents=True)
    (older / ".ready").touch()
    assert parts.find("mosquitto-2.0", ROOT).argv == ("chroot", str(older), "mosquitto")


def test_a_bare_debian_is_a_root_and_no_program(empty_root):
    with pytest.raises(parts.PartMissing, match="run 'phoneterm parts install --tests' as root"):
        parts.find("debian-server", ROOT)
    root = empty_root.with_name("root-debian-server")
    root.mkdir(parents=True)
    (root / ".ready").touch()
    assert parts.find("debian-server", ROOT) == parts.Part("debian-server", ("chroot", str(root)), root)


def test_the_32_bit_micropython_is_started_by_its_own_loader_without_root(empty_root):
    with pytest.raises(parts.PartMissing, match="micropython-32 is not on this machine: run 'phoneterm parts install "):
        parts.find("micropython-32", SOMEBODY)
    root = empty_root.with_name("root-micropython-32")
    root.mkdir(parents=True)
    (root / ".ready").touch()
    libraries = f"{root}/usr/lib/i386-linux-gnu"
    assert parts.find("micropython-32", SOMEBODY).argv == (
        f"{libraries}/ld-linux.so.2", "--library-path", libraries, f"{root}/usr/bin/micropython",
    )  # fmt: skip


def test_another_processor_cannot_run_it_and_is_named(empty_root):
    with pytest.raises(parts.PartMissing, match="runs on x86 processors alone, and this one is aarch64"):
        parts.find("micropython-32", replace(SOMEBODY, processor="aarch64"))


def test_the_two_mosquittos_are_of_two_versions(need_part):
    """So "mosquitto 2.0" in the name of a test is true; the other one is the version of this machine."""
    versions = {}
    for name in ("mosquitto", "mosquitto-2.0"):
        done = subprocess.run([*need_part(name).argv, "-h"], capture_output=True, text=True, check=False)
        versions[name] = done.stdout.split()[2]
    assert versions["mosquitto-2.0"].startswith("2.0.")
    assert versions["mosquitto"].startswith("2.")


def test_only_root_can_run_a_part_in_the_root(empty_root):
    empty_root.mkdir()
    (empty_root / ".ready").touch()
    with pytest.raises(parts.PartMissing, match="only root can run it there"):
        parts.find("mosquitto", SOMEBODY)


def test_making_the_root_without_root_says_so(tmp_path):
    with pytest.raises(debian_root.InstallFailed, match="needs root"):
        debian_root.install(tmp_path / "root", SOMEBODY)


def test_a_step_that_fails_is_named_with_its_last_words(tmp_path):
    with pytest.raises(debian_root.InstallFailed, match=r"Reading nothing failed: .*No such file"):
        debian_root.run_step(["ls", str(tmp_path / "absent")], "reading nothing")


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


@pytest.mark.parametrize("prints", ["", "/tmp/phoneterm-absent", "not/absolute", r"\377\000\033"])
def test_a_program_that_does_not_name_a_folder_with_micropython_is_no_emulated_chip(tmp_path, prints):
    program = tmp_path / "chip"
    program.write_text(f"#!/bin/sh\nprintf '{prints}\\n'\n")
    program.chmod(0o755)
    with pytest.raises(parts.PartMissing, match=r"--files' must name a folder with ESP32_GENERIC-\*\.bin"):
        chip.find_files(program)
