"""umqtt.simple is fetched once, verified by its hash, and a machine without it says how to get it."""

import pytest
from lab_parts import parts, stock_modules


def test_where_it_is_missing_the_command_is_named(tmp_path):
    with pytest.raises(parts.PartMissing, match=r"umqtt\.simple is not on this machine: run 'phoneterm parts install'"):
        stock_modules.find(tmp_path)


def test_what_is_there_is_not_fetched_again(tmp_path, monkeypatch):
    (tmp_path / "umqtt").mkdir()
    (tmp_path / "umqtt" / "simple.py").write_text("")
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # so that fetching would fail
    assert stock_modules.install(tmp_path) == tmp_path


def test_what_does_not_come_or_has_another_hash_is_a_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(parts.PartMissing, match=r"umqtt\.simple could not be fetched: "):
        stock_modules.install(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_it_is_the_real_one(need_stock_modules):
    assert "class MQTTClient" in (need_stock_modules / "umqtt" / "simple.py").read_text()
