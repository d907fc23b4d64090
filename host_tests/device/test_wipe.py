"""The wipe: it leaves no setting and no file that a setting names, in any form."""

import pytest
from phoneterm.device import settings
from phoneterm.device.wipe import erase


class Storage:
    """An NVS namespace; an erasure counts once it is committed."""

    def __init__(self, values):
        self.values, self.pending = values, dict(values)

    def get_blob(self, key, buffer):
        value = self._find(key)
        if len(value) > len(buffer):
            raise OSError(-4364, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        self._find(key)
        del self.pending[key]

    def commit(self):
        self.values = dict(self.pending)

    def _find(self, key):
        if key not in self.pending:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        return self.pending[key]


def test_every_setting_is_erased_also_one_that_is_not_right(tmp_path):
    ca_file = tmp_path / "ca.der"
    ca_file.write_bytes(b"certificate")
    storage = Storage(dict.fromkeys(settings.KEYS, b"x" * 500) | {"tls_ca_path": str(ca_file).encode()})
    erase(storage)
    assert storage.values == {}
    assert not ca_file.exists()


@pytest.mark.parametrize("path", [b"no/such/file", b"\xff\xfe", b"x" * 500])
def test_a_path_that_names_no_file_stops_nothing(path):
    storage = Storage({"tls_ca_path": path, "mac_key": b"00"})
    erase(storage)
    assert storage.values == {}


def test_what_was_never_set_up_stays_so():
    storage = Storage({})
    erase(storage)
    assert storage.values == {}
