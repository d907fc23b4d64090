"""Whatever 16 contacts do, and however late the samples come: what the debouncer must never report."""

from hypothesis import given, settings
from hypothesis import strategies as st
from phoneterm.core.debounce import INDEX, PRESSED, STUCK, WORKING, Debouncer, find_rectangles

_CONTACTS = st.one_of(st.just(0), st.sampled_from([1 << index for index in range(16)]), st.integers(0, 0xFFFF))
_SAMPLES = st.lists(
    st.tuples(_CONTACTS, st.integers(1, 30), st.sampled_from([300, 1000, 2000, 30_000, 20_000_000])), max_size=60
)


@given(_CONTACTS, _SAMPLES)
@settings(max_examples=200, deadline=None)
def test_presses_and_releases_alternate_and_are_never_made_up(at_boot, samples):
    debouncer = Debouncer()
    debouncer.ignore(at_boot)
    down = 0
    for contacts, times, elapsed_us in samples:
        for _ in range(times):
            for change in debouncer.changes[: debouncer.update(contacts, elapsed_us)]:
                key = 1 << (change & INDEX)
                if change & PRESSED:
                    assert not down & key
                    assert contacts & key
                    assert not find_rectangles(contacts) & key
                    down |= key
                elif change & STUCK:
                    assert debouncer.stuck & key
                elif not change & WORKING:
                    assert down & key
                    assert not contacts & key
                    down &= ~key
            assert down & ~debouncer.held == 0
            assert debouncer.stuck & ~debouncer.held == 0
    for _ in range(40):
        debouncer.update(0, 1000)
    assert debouncer.is_quiet()
    assert debouncer.held == 0
