"""Shared by the doctor's tests: a store with one terminal, and settings for it."""

import pytest
from attack_lab.scenery.fresh_store import open_store_with_terminal
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory


@pytest.fixture
def store_path(tmp_path):
    """A store with the terminal phone-101 at extension 101."""
    path = tmp_path / "bridge.db"
    open_store_with_terminal(path)[0].dispose()
    return path


@pytest.fixture
def add_extension(store_path):
    """Return a function that adds an extension to the store."""

    def add(number, **options):
        engine = open_store(store_path)
        Directory(engine, "test").add_extension(number, "tech1", **options)
        engine.dispose()

    return add


@pytest.fixture
def make_settings(store_path):
    """Return a function that makes settings for the store, with overrides."""

    def make(*overrides):
        return load_settings(None, (f"store.path={store_path}", *overrides))

    return make
