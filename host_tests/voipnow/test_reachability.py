"""Whether VoipNow is there, by what the looks have come to."""

import pytest
import pytest_asyncio
from phoneterm_bridge.pbx.voipnow.reachability import Reachability
from structlog.testing import capture_logs
from voipnow.conftest import ShiftedClock

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Site:
    """A reachability and what it has told: "back", "away" as news, or "still away"."""

    def __init__(self, look_every_s=1.0):
        self.told = []
        self.clock = ShiftedClock()
        self.reachability = Reachability(
            "https://voipnow.example", look_every_s, self._on_back, self._on_away, self.clock
        )

    def _on_back(self):
        self.told.append("back")

    def _on_away(self, is_news):
        self.told.append("away" if is_news else "still away")


@pytest_asyncio.fixture(loop_scope="session")
async def site():
    """A site whose VoipNow answers."""
    site = Site()
    site.reachability.note_success()
    yield site
    site.reachability.stop()


async def test_trouble_counts_once_the_last_look_that_worked_is_too_old(site):
    site.reachability.note_trouble("it answers 500")
    assert site.told == ["back"]
    site.clock.skip(6)
    site.reachability.note_trouble("it answers 500")
    assert site.told == ["back", "away"]
    assert not site.reachability.is_available
    site.reachability.note_trouble("it answers 500")
    site.reachability.note_success()
    assert site.told == ["back", "away", "still away", "back"]


async def test_an_app_that_is_not_let_in_counts_at_once(site):
    site.reachability.note_trouble("it answers 403", is_login=True)
    assert (site.told, site.reachability.is_login_refused) == (["back", "away"], True)
    site.reachability.note_success()
    assert (site.told[-1], site.reachability.is_login_refused) == ("back", False)


async def test_a_sign_of_life_in_a_long_round_counts_as_a_look_that_worked(site):
    site.clock.skip(6)
    site.reachability.note_life()
    site.reachability.note_trouble("it answers 500")
    assert site.told == ["back"]


async def test_a_sign_of_life_does_not_bring_back_what_was_away():
    site = Site()
    site.reachability.note_trouble("it answers 500")
    site.reachability.note_life()
    assert (site.told, site.reachability.is_available) == (["still away"], False)


async def test_slow_looks_may_be_older_than_fast_ones():
    assert [Site(look_every_s).reachability.stale_s for look_every_s in (0.1, 1.0, 60.0)] == [5.0, 5.0, 180.0]


async def test_each_trouble_is_logged_once_until_it_is_over(site):
    with capture_logs() as logs:
        for why in ("it answers 500", "it answers 500", "it is asked too often (429)"):
            site.reachability.note_trouble(why)
        site.reachability.note_success()
        site.reachability.note_success()
    assert [(line["event"], line.get("why")) for line in logs] == [
        ("voipnow-does-not-answer", "it answers 500"),
        ("voipnow-does-not-answer", "it is asked too often (429)"),
        ("voipnow-answers-again", None),
    ]
