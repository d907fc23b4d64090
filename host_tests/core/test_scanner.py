"""The scanner's schedule: when it probes, when it scans, how long it asks to wait, and its record of gaps."""

from phoneterm.core.debounce import PRESSED, STUCK, WORKING, Debouncer
from phoneterm.core.scanner import AWAKE_US, Gaps, Scanner

_KEY = 0x0020  # index 5


class _Matrix:
    """Contacts that a test sets, and a record of the looks at them."""

    def __init__(self, contacts=0):
        self.contacts = contacts
        self.looks = []

    def probe(self):
        self.looks.append("probe")
        return self.contacts != 0

    def scan(self):
        self.looks.append("scan")
        return self.contacts


def _poll(scanner, times=1):
    """Poll this many times, each time after the wait the scanner asked for; return the changes."""
    changes = []
    for _ in range(times):
        count = scanner.poll(scanner.wait_ms * 1000)
        changes += list(scanner.changes[:count])
    return changes


def _started(contacts=0):
    matrix = _Matrix(contacts)
    scanner = Scanner(matrix, Debouncer())
    _poll(scanner, 2)
    matrix.looks.clear()
    return matrix, scanner


def _press_and_release(matrix, scanner):
    matrix.contacts = _KEY
    assert _poll(scanner, 5) == [PRESSED | 5]
    matrix.contacts = 0
    assert _poll(scanner, 21) == [5]
    matrix.looks.clear()


def test_an_idle_keypad_is_only_probed():
    matrix, scanner = _started()
    assert _poll(scanner, 3) == []
    assert matrix.looks == ["probe", "probe", "probe"]
    assert scanner.wait_ms == 2


def test_the_first_contact_is_scanned_at_once_and_then_every_millisecond():
    matrix, scanner = _started()
    matrix.contacts = _KEY
    _poll(scanner)
    assert scanner.wait_ms == 1
    assert _poll(scanner, 2) == [PRESSED | 5]
    assert matrix.looks == ["probe", "scan", "scan", "scan"]


def test_a_held_key_is_scanned_every_millisecond():
    matrix, scanner = _started()
    matrix.contacts = _KEY
    _poll(scanner, 100)
    assert scanner.wait_ms == 1
    assert matrix.looks[1:] == ["scan"] * 100


def test_after_a_key_the_probes_come_faster_until_the_keypad_has_been_left_alone():
    matrix, scanner = _started()
    _press_and_release(matrix, scanner)
    _poll(scanner, AWAKE_US // 1000 - 2)
    assert scanner.wait_ms == 1
    _poll(scanner, 2)
    assert scanner.wait_ms == 2
    assert "scan" not in matrix.looks


def test_a_spike_does_not_keep_the_scanner_awake():
    matrix, scanner = _started()
    matrix.contacts = _KEY
    _poll(scanner)
    matrix.contacts = 0
    assert _poll(scanner, 10) == []
    assert scanner.wait_ms == 2


def test_the_periods_can_be_chosen():
    matrix = _Matrix()
    scanner = Scanner(matrix, Debouncer(), idle_ms=4, fast_ms=3)
    _poll(scanner, 2)
    assert scanner.wait_ms == 4
    matrix.contacts = _KEY
    _poll(scanner)
    assert scanner.wait_ms == 3


def test_equal_periods_do_not_hide_a_release():
    matrix = _Matrix()
    scanner = Scanner(matrix, Debouncer(), idle_ms=4, fast_ms=4)
    _poll(scanner, 2)
    matrix.contacts = _KEY
    assert _poll(scanner, 3) == [PRESSED | 5]
    matrix.contacts = 0
    assert _poll(scanner, 6) == [5]


def test_a_key_held_through_boot_says_nothing_until_it_was_released():
    matrix, scanner = _started(_KEY)
    assert _poll(scanner, 100) == []
    matrix.contacts = 0
    assert _poll(scanner, 30) == []
    matrix.contacts = _KEY
    assert _poll(scanner, 3) == [PRESSED | 5]


def test_a_stuck_key_lets_the_scanner_rest_and_the_others_work():
    matrix, scanner = _started()
    matrix.contacts = _KEY
    assert _poll(scanner, 30003) == [PRESSED | 5, STUCK | 5]
    _poll(scanner, AWAKE_US // 1000)
    assert scanner.wait_ms == 2
    matrix.contacts = _KEY | 1
    assert _poll(scanner, 3) == [PRESSED]
    matrix.contacts = _KEY
    assert _poll(scanner, 21) == [0]


def test_a_stuck_key_that_is_released_is_noticed_although_the_keypad_is_idle():
    matrix, scanner = _started()
    matrix.contacts = _KEY
    _poll(scanner, 40000)
    matrix.contacts = 0
    assert _poll(scanner, 30) == [5, WORKING | 5]


def test_the_scanner_knows_its_gaps():
    _, scanner = _started()
    scanner.gaps.clear()
    for elapsed_us in [2000] * 98 + [7001] + [61000]:
        scanner.poll(elapsed_us)
    assert scanner.gaps.percentile_ms(50) == 2
    assert scanner.gaps.percentile_ms(99) == 8
    assert scanner.gaps.longest_ms() == 61


def test_the_time_before_the_first_poll_is_no_gap():
    scanner = Scanner(_Matrix(), Debouncer())
    scanner.poll(5000000)
    assert scanner.gaps.longest_ms() == 0
    assert scanner.gaps.percentile_ms(99) == 0


def test_a_gap_beyond_the_histogram_is_still_known_as_the_longest():
    gaps = Gaps()
    gaps.add(90500)
    assert gaps.percentile_ms(50) == 91
    assert gaps.longest_ms() == 91


def test_many_gaps_keep_their_proportions_in_bounded_memory():
    gaps = Gaps(halve_at=1000)
    for _ in range(100):
        for _ in range(127):
            gaps.add(2000)
        gaps.add(30000)
    assert gaps.percentile_ms(50) == 2
    assert gaps.percentile_ms(99) == 2
    assert gaps.percentile_ms(100) == 30
    for _ in range(1500):
        gaps.add(30000)
    assert gaps.percentile_ms(50) == 30  # so old gaps count less and less


def test_forgotten_gaps_do_not_count():
    _, scanner = _started()
    scanner.poll(30000)
    scanner.gaps.clear()
    assert scanner.gaps.longest_ms() == 0
    scanner.poll(2000)
    assert scanner.gaps.longest_ms() == 2
