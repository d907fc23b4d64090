"""A bare Debian server, and the wheels that it installs from."""

import tempfile
from pathlib import Path

import name_spaces
import pytest
from service import wheels
from service.debian_server import DebianServer


def pytest_collection_modifyitems(items):
    """Mark what boots a server."""
    for item in items:
        if "boot_up" in getattr(item, "fixturenames", ()):
            item.add_marker("on_server")


@pytest.fixture(scope="session")
def wheel(fill_once):
    """The wheel of this checkout."""

    def fill(folder):
        folder.chmod(0o755)
        wheels.build(folder)

    return next(fill_once("wheel", fill).glob("*.whl"))


@pytest.fixture(scope="session")
def later_wheel(fill_once):
    """The wheel of a later version."""

    def fill(folder):
        with tempfile.TemporaryDirectory(prefix="phoneterm-later-") as checkout:
            wheels.build_later(folder, Path(checkout))

    return next(fill_once("later-wheel", fill).glob("*.whl"))


@pytest.fixture
def boot_up(need_part):
    """Return a function that boots a server, which sees folders of this machine and installs packages from one."""
    root = need_part("debian-server").root
    if not name_spaces.are_possible():
        pytest.skip(name_spaces.ABSENT)
    servers = []

    def boot(shown):
        server = DebianServer(root, {"/srv/packages": wheels.fetch_packages(), **shown})
        servers.append(server.__enter__())
        (server.root / "etc" / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /srv/packages\n")
        return server

    yield boot
    for server in servers:
        server.__exit__()
