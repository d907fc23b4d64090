"""The way to start a transfer that is found at connect, and the lines that would make it faster."""

import pytest
from pbx_bench import ways
from pbx_bench.measure import measure
from phoneterm_bridge.pbx.asterisk.features import Features
from phoneterm_bridge.pbx.asterisk.speed import EVERY_DIGIT, LONGER_CODE, NO_WAY, ONE_LETTER, speed_of

FASTEST = Features(version=22, atxfer="D", abort="A", swap="B", min_dtmf_ms=20, can_play=True)


def _changed(**changes):
    return speed_of(Features(**(vars(FASTEST) | changes)))


def test_the_fastest_configuration_needs_no_line():
    assert speed_of(FASTEST).way == ONE_LETTER
    assert speed_of(FASTEST).faster_with == ()


@pytest.mark.parametrize(
    ("changes", "way", "line"),
    [
        ({"atxfer": "*2"}, LONGER_CODE, "features.conf [featuremap] atxfer = D"),
        ({"atxfer": ""}, NO_WAY, "features.conf [featuremap] atxfer = D"),
        ({"abort": "*1"}, ONE_LETTER, "features.conf [general] atxferabort = A"),
        ({"swap": "*4"}, ONE_LETTER, "features.conf [general] atxferswap = B"),
        ({"min_dtmf_ms": 80}, ONE_LETTER, "asterisk.conf [options] mindtmfduration = 20"),
        ({"can_play": False}, EVERY_DIGIT, "modules.conf [modules] load = app_senddtmf.so"),
    ],
)
def test_what_is_slower_is_named_with_the_line_that_would_change_it(changes, way, line):
    speed = _changed(**changes)
    assert speed.way == way
    assert [str(one) for one in speed.faster_with] == [line]
    assert all(one.why for one in speed.faster_with)


def test_of_a_tone_length_that_the_pbx_does_not_tell_nothing_is_said():
    assert _changed(min_dtmf_ms=None).faster_with == ()


def test_an_asterisk_too_old_for_the_variable_plays_every_digit():
    assert _changed(version=18).way == EVERY_DIGIT


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("options", "way", "lines"),
    [
        ({}, ONE_LETTER, 0),
        ({"min_dtmf_ms": 80}, ONE_LETTER, 1),
        ({"codes": "stock", "min_dtmf_ms": 80}, LONGER_CODE, 4),
        ({"codes": "none"}, NO_WAY, 3),
    ],
)
async def test_it_is_found_out_at_connect(open_desk, options, way, lines):
    desk = await open_desk(**options)
    assert desk.pbx.features.version == 22
    assert speed_of(desk.pbx.features).way == way
    assert len(speed_of(desk.pbx.features).faster_with) == lines


async def test_the_measure_times_every_way_on_a_real_asterisk(need_part):
    need_part("asterisk")
    need_part("sipp")
    for codes in ("stock", "letters"):
        tried = [way for way in ways.WAYS if way.codes == codes]
        found = await measure(tried, 20, 1)
        assert [one.way for one in found.figures] == tried
        assert all(one.hold_ms > 0 and one.dialled_ms > 0 for one in found.figures)
