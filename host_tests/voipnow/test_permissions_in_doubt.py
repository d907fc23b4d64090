"""In doubt nobody may transfer: old answers, answers of something else, answers that were overtaken, half an answer."""

import asyncio
import time

import pytest
import pytest_asyncio
import sqlalchemy as sa
from attack_lab.scenery.fresh_store import open_fresh_store
from attack_lab.scenery.waiting import until
from pbx.desk import USER
from pbx.office import Office
from phoneterm.core import messages
from phoneterm_bridge.pbx.permissions import NotTold, SourceAway, Told
from phoneterm_bridge.pbx.voipnow.voipnow_permissions import VoipNowPermissions
from phoneterm_bridge.permissions.following import PermissionFollower
from phoneterm_bridge.permissions.granting import set_aware_at_pbx
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading, tables
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.directory_proof import find_untold
from phoneterm_bridge.store.pbx_permissions import PbxPermissions, ToldExtension, read_following
from voipnow.test_permissions import FOLLOWS, USUAL_KEEP_S, changes, flag_is
from voipnow_lab.faults import ALWAYS

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLOWLY = ("voipnow.permissions=voipnow", "voipnow.permissions_poll_s=3600")


class Sparing:
    """A PBX that tells of a few extensions at a time, and then wants to be asked later."""

    name, where = "Sparing", "here"

    def __init__(self, after_s=None, at_once=20):
        self.after_s = after_s
        self.asked_s = []
        self._left = self._at_once = at_once

    async def read(self, endpoints):
        """Tell of all of them, or of none."""
        wanted = list(endpoints)
        self.asked_s.append(time.monotonic())
        if len(wanted) > self._left:
            self._left = self._at_once
            raise SourceAway("it is asked too often", self.after_s)
        self._left -= len(wanted)
        return {endpoint: Told("1", "term", True) for endpoint in wanted}


@pytest_asyncio.fixture(loop_scope="session")
async def office(lab, tmp_path):
    """A bridge that looks only once by itself, and whose user may transfer."""
    async with Office(lab, tmp_path, changes=SLOWLY) as office:
        await flag_is(office, True)
        yield office


@pytest.fixture
def engine(tmp_path):
    """A store with alice and her extension."""
    engine = open_fresh_store(tmp_path / "own.db")
    directory = Directory(engine, "test")
    directory.add_user("alice", True)
    directory.add_extension("101", "alice")
    directory.add_terminal("t101", "101")
    yield engine
    engine.dispose()


def settings_of(lab, *more):
    return load_settings(None, (*lab.bridge_settings, *more)).voipnow


def is_proven(engine):
    with engine.connect() as connection:
        return find_untold(connection) is None


def may_transfer(engine, tid="t101"):
    return reading.read_snapshot(engine).terminals[tid].may_transfer


async def test_at_another_endpoint_what_was_said_of_the_one_before_does_not_count(office, lab):
    lab.faults.add("system", "500", ALWAYS)
    Directory(office.engine, "test").change_extension(USER, endpoint="102")
    await flag_is(office, False)
    assert is_proven(office.engine)
    lab.faults.clear()
    Directory(office.engine, "test").change_extension(USER, endpoint="101")
    await flag_is(office, True)


async def test_a_change_of_something_else_forgets_nothing(engine):
    PbxPermissions(engine, "VoipNow", "test").follow()
    PbxPermissions(engine, "VoipNow", "test").take({"101": ToldExtension("21", "term", True)}, {})
    Directory(engine, "test").change_extension("101", endpoint="101", context="other")
    assert may_transfer(engine)


async def test_what_was_read_before_the_switch_was_turned_does_not_undo_it(office, lab):
    lab.faults.slow_s = 1.0
    lab.faults.add("system", "slow", 2)
    looking = asyncio.create_task(office.bridge.parts.permissions.look())
    before = len(lab.system.requests)
    await until(lambda: [name for name, _ in lab.system.requests[before:]] == ["GetExtensionDetails", "GetUserPL"], 20)
    lab.faults.clear()
    source = office.bridge.parts.permissions.source
    await set_aware_at_pbx(source, office.engine, "alice", False, "cli:anna", "")
    await looking
    assert not read_following(office.engine).places[0].told.is_multi_user_aware
    assert not may_transfer(office.engine)
    await office.bridge.parts.permissions.look()
    assert not may_transfer(office.engine)


async def test_what_was_overtaken_is_named_and_left(engine):
    store = PbxPermissions(engine, "VoipNow", "test")
    before = read_following(engine).places
    assert store.take({"101": ToldExtension("21", "term", False)}, {}, 5, before) == frozenset()
    assert store.take({"101": ToldExtension("21", "term", True)}, {}, 6, before) == {"101"}
    assert store.take({}, {"101": "fault 117"}, 7, before) == {"101"}
    (place,) = read_following(engine).places
    assert (place.told, place.why_not) == (ToldExtension("21", "term", False), "")


async def test_what_another_voipnow_has_said_does_not_count(lab, tmp_path):
    async with Office(lab, tmp_path, changes=FOLLOWS) as office:
        await flag_is(office, True)
        await office.bridge.stop()
        lab.faults.add("system", "500", ALWAYS)
        other = office.settings.voipnow.model_copy(update={"organization": "0004"})
        office.settings = office.settings.model_copy(update={"voipnow": other})
        await office.open()
        await flag_is(office, False)
        assert any("organization 0004) says who is multi user aware" in what for _, _, what in changes(office))
        assert {one["multi_user_aware"] for one in office.terminal.heard(messages.PERMISSIONS)} == {False}
        assert read_following(office.engine).source == "VoipNow"
        assert reading.read_snapshot(office.engine).permission_source == "VoipNow"
        assert is_proven(office.engine)


async def test_what_is_too_old_at_a_start_never_counts_at_it(lab, tmp_path):
    async with Office(lab, tmp_path, changes=FOLLOWS) as office:
        await flag_is(office, True)
        await office.bridge.stop()
        lab.faults.add("system", "500", ALWAYS)
        with office.engine.begin() as connection:
            old_ms = time.time_ns() // 1_000_000 - (USUAL_KEEP_S + 1) * 1000
            connection.execute(tables.pbx_permissions.update().values(told_ms=old_ms))
        await office.open()
        await flag_is(office, False)
        assert {one["multi_user_aware"] for one in office.terminal.heard(messages.PERMISSIONS)} == {False}


async def test_what_was_said_by_a_clock_that_was_ahead_does_not_count_longer_with_each_start(lab, engine):
    follower = PermissionFollower(Sparing(), engine, "", 60.0, USUAL_KEEP_S)
    follower.begin()
    in_ten_days_ms = time.time_ns() // 1_000_000 + 864_000_000
    PbxPermissions(engine, "Sparing", "test").take({"101": ToldExtension("1", "term", True)}, {}, in_ten_days_ms)
    follower.begin()
    assert read_following(engine).places[0].told_ms <= time.time_ns() // 1_000_000


async def test_it_expires_on_time_however_long_the_next_look_is_away(lab, engine):
    source = VoipNowPermissions(settings_of(lab))
    follower = PermissionFollower(source, engine, "", 3600.0, 1.0)
    follower.begin()
    following = asyncio.create_task(follower.run())
    await until(lambda: read_following(engine).places[0].told is not None, 20)
    await until(lambda: not may_transfer(engine), 20)
    following.cancel()
    await asyncio.wait([following])
    await source.close()
    assert [name for name, _ in lab.system.requests] == ["GetExtensionDetails", "GetUserPL"]
    assert is_proven(engine)


async def test_what_was_said_anew_meanwhile_does_not_expire(engine):
    store = PbxPermissions(engine, "VoipNow", "test")
    store.take({"101": ToldExtension("21", "term", True)}, {}, 5)
    store.expire(["101"], "it answers 500", {"101": 4})
    assert not read_following(engine).places[0].is_expired


async def test_another_type_here_counts_at_once(office, lab):
    lab.faults.add("system", "500", ALWAYS)
    Directory(office.engine, "test").change_extension(USER, type="fax")
    await flag_is(office, False)


async def test_an_extension_that_voipnow_breaks_down_at_holds_up_no_other(lab):
    lab.system.accounts.find_extension("0003*102").is_broken = True
    source = VoipNowPermissions(settings_of(lab))
    said = await source.read(["101", "102", "103"])
    assert (said["101"], said["102"]) == (Told("21", "term", True), NotTold("it answers 500"))
    assert said["103"] == Told("23", "term", False)
    lab.system.accounts.find_extension("0003*103").is_broken = True
    with pytest.raises(SourceAway, match="it answers 500"):
        await source.read(["101", "102", "103"])
    with pytest.raises(SourceAway, match="it answers 500"):
        await source.read(["102"])
    await source.close()


async def test_a_pbx_that_tells_only_of_a_few_at_a_time_is_asked_about_all_in_turn(engine):
    directory = Directory(engine, "test")
    for number in range(102, 150):
        directory.add_extension(str(number), "alice")
    follower = PermissionFollower(Sparing(), engine, "", 60.0, 600.0)
    follower.begin()
    for _ in range(5):
        await follower.look()
    assert [place.number for place in read_following(engine).places if place.told is None] == []


async def test_a_pbx_that_tells_only_of_a_few_at_a_time_is_not_away(engine):
    directory = Directory(engine, "test")
    for number in range(102, 150):
        directory.add_extension(str(number), "alice")
    minutes = iter(range(0, 10_000, 1))
    follower = PermissionFollower(Sparing(), engine, "", 60.0, 6_000_000.0, lambda: 60.0 * next(minutes))
    follower.begin()
    for _ in range(6):
        await follower.look()
        assert read_following(engine).trouble == ""


async def test_a_pbx_that_says_when_is_not_asked_before_whoever_is_new(engine):
    source = Sparing(after_s=2.0, at_once=0)
    follower = PermissionFollower(source, engine, "", 1.0, 600.0)
    following = asyncio.create_task(follower.run())
    await until(lambda: source.asked_s, 20)
    follower.hurry()
    await until(lambda: len(source.asked_s) > 1, 20)
    following.cancel()
    await asyncio.wait([following])
    assert source.asked_s[1] - source.asked_s[0] >= 2.0


async def test_an_app_that_may_see_nothing_any_more_is_told_as_away(lab, tmp_path):
    async with Office(lab, tmp_path, changes=FOLLOWS) as office:
        await flag_is(office, True)
        lab.faults.add("system", "fault 104", ALWAYS)
        await until(lambda: "it refuses the bridge: fault 104" in read_following(office.engine).trouble, 20)
        source = office.bridge.parts.permissions.source
        with pytest.raises(SetupProblem, match=r"VoipNow cannot be asked now .it refuses the bridge: fault 104"):
            await set_aware_at_pbx(source, office.engine, "alice", False, "cli:anna", "")
        lab.faults.clear()
        await until(lambda: read_following(office.engine).trouble == "", 20)


async def test_an_extension_that_belongs_to_another_user_there_is_told_in_the_journal(office, lab):
    accounts = lab.system.accounts
    accounts.find_extension("0003*101").user = accounts.users[1]
    await office.bridge.parts.permissions.look()
    await flag_is(office, False)
    said = "VoipNow says: type term, multi user aware False; it belongs to user 22 there (before, to 21)"
    assert ("voipnow", "101", said) in changes(office)


async def test_permissions_cannot_expire_before_they_can_be_read_again(lab):
    with pytest.raises(SetupProblem, match="permissions_keep_s"):
        settings_of(lab, "voipnow.permissions_poll_s=60", "voipnow.permissions_keep_s=30")


async def test_rows_that_a_command_has_left_while_the_store_was_in_charge_do_not_count_later(engine):
    PbxPermissions(engine, "VoipNow", "cli:anna").take({"101": ToldExtension("21", "term", True)}, {})
    PbxPermissions(engine, "VoipNow", "test").follow("https://voipnow.example, organization 0003")
    assert not may_transfer(engine)
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.pbx_permissions)).all() == []
    assert is_proven(engine)
