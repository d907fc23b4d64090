"""The key matrix on simulated wires: what it reads, that it never shorts two outputs, and the order of driving."""

import pytest
from phoneterm.device.key_matrix import KeyMatrix

_ROWS = (11, 12, 13, 14)
_COLUMNS = (21, 22, 23, 24)


class _Wires:
    """Sixteen contacts between row and column pins, and a Pin class that reads them."""

    def __init__(self):
        self.closed = set()  # (row place, column place)
        self.log = []
        wires = self

        class Pin:
            IN, OUT, OPEN_DRAIN, PULL_UP = "in", "out", "open drain", "pull-up"

            def __init__(self, number, mode, pull=None, value=None):
                assert pull == Pin.PULL_UP
                self.number, self.mode, self.level = number, mode, value
                wires.pins[number] = self

            def init(self, mode, value):
                self.mode, self.level = mode, value
                wires.log.append((self.number, mode, value))
                wires.check_no_short()

            def value(self, level=None):
                if level is None:
                    return 0 if wires.is_pulled_low(self.number) else 1
                self.level = level
                wires.log.append((self.number, self.mode, level))
                wires.check_no_short()
                return None

            __call__ = value

        self.pins = {}
        self.Pin = Pin

    def connected(self, number):
        """Return all pins that closed contacts connect to this one, including itself."""
        group = {number}
        for _ in range(8):
            for row, column in self.closed:
                pair = {_ROWS[row], _COLUMNS[column]}
                if group & pair:
                    group |= pair
        return group

    def is_pulled_low(self, number):
        return any(self.pins[other].mode != "in" and self.pins[other].level == 0 for other in self.connected(number))

    def check_no_short(self):
        for number, pin in self.pins.items():
            if pin.mode == "out" and pin.level == 1:
                assert not self.is_pulled_low(number), "a high output against a low one"


@pytest.fixture
def wires():
    """Return simulated wires."""
    return _Wires()


def _matrix(wires, settle_us=30):
    return KeyMatrix(wires.Pin, _ROWS, _COLUMNS, settle_us, lambda us: wires.log.append(("settle", us)))


def _are_all_at_rest(wires):
    return all((wires.pins[number].mode, wires.pins[number].level) == ("open drain", 1) for number in _ROWS)


def test_an_open_keypad_reads_nothing(wires):
    matrix = _matrix(wires)
    assert not matrix.probe()
    assert matrix.scan() == 0
    assert _are_all_at_rest(wires)


def test_every_contact_has_its_own_bit(wires):
    matrix = _matrix(wires)
    for index in range(16):
        wires.closed = {(index // 4, index % 4)}
        assert matrix.probe()
        assert matrix.scan() == 1 << index
        assert _are_all_at_rest(wires)


def test_all_contacts_at_once_are_read_and_short_nothing(wires):
    matrix = _matrix(wires)
    wires.closed = {(row, column) for row in range(4) for column in range(4)}
    assert matrix.probe()
    assert matrix.scan() == 0xFFFF
    assert _are_all_at_rest(wires)


def test_three_corners_read_as_four_because_there_are_no_diodes(wires):
    wires.closed = {(0, 0), (0, 1), (1, 0)}
    assert _matrix(wires).scan() == 0x0033


def test_every_row_settles_before_its_columns_are_read(wires):
    matrix = _matrix(wires, settle_us=77)
    matrix.scan()
    assert wires.log == [
        step for row in _ROWS for step in ((row, "open drain", 0), ("settle", 77), (row, "open drain", 1))
    ]


def test_a_row_with_a_closed_contact_is_driven_high_before_it_is_released(wires):
    wires.closed = {(1, 2)}
    _matrix(wires).scan()
    steps = [step for step in wires.log if step[0] == _ROWS[1]]
    assert steps == [(12, "open drain", 0), (12, "out", 1), (12, "open drain", 1)]


def test_the_probe_releases_all_rows_before_it_drives_one_high(wires):
    wires.closed = {(0, 0), (3, 0)}
    assert _matrix(wires).probe()
    released = [wires.log.index((row, "open drain", 1)) for row in _ROWS]
    driven = [wires.log.index((row, "out", 1)) for row in _ROWS]
    assert max(released) < min(driven)


@pytest.mark.parametrize(("rows", "columns"), [((1, 2, 3), _COLUMNS), (_ROWS, (1, 2, 3, 4, 5))])
def test_another_number_of_pins_is_our_own_mistake(wires, rows, columns):
    with pytest.raises(ValueError, match="4 rows and 4 columns"):
        KeyMatrix(wires.Pin, rows, columns, 10, None)
