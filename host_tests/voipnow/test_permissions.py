"""Who may transfer is what VoipNow says: read, kept in the store, told to the terminal, and enforced at a key press."""

import json

import pytest
import pytest_asyncio
import sqlalchemy as sa
from attack_lab.scenery.waiting import until
from pbx.desk import USER
from pbx.office import Office
from phoneterm.core import messages
from phoneterm_bridge.administration.why import answer_why
from phoneterm_bridge.doctor.store import read_stored
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.store import reading, tables
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.directory_proof import find_untold
from phoneterm_bridge.store.pbx_permissions import PbxPermissions, ToldExtension, read_following
from phoneterm_bridge.terminals.host_clock import HostClock
from voipnow_lab.accounts import User
from voipnow_lab.faults import ALWAYS

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOLLOWS = ("voipnow.permissions=voipnow", "voipnow.permissions_poll_s=1")
USUAL_KEEP_S = 43_200


class AheadClock(HostClock):
    """The bridge's clock that never stands still, put forward by a test."""

    def __init__(self):
        self.ahead = 0.0
        super().__init__()

    def now_s(self):
        return super().now_s() + self.ahead


@pytest_asyncio.fixture(loop_scope="session")
async def office(lab, tmp_path):
    """A bridge that follows the stand-in, and the terminal of extension 101."""
    async with Office(lab, tmp_path, changes=FOLLOWS) as office:
        yield office


def last_flag(office):
    """Return the flag that the terminal was told last."""
    told = office.terminal.heard(messages.PERMISSIONS)
    return told[-1]["multi_user_aware"] if told else None


def changes(office):
    """Return (who, subject, what) of all changes in the journal."""
    query = sa.select(tables.journal.c.detail).where(tables.journal.c.stage == "change").order_by(tables.journal.c.seq)
    with office.engine.connect() as connection:
        details = [json.loads(row.detail) for row in connection.execute(query)]
    return [(one["who"], one["subject"], one["what"]) for one in details]


async def flag_is(office, is_aware):
    await until(lambda: last_flag(office) is is_aware, 20)


async def test_what_voipnow_says_decides_at_a_key_press(office, lab):
    await flag_is(office, True)
    await office.talk()
    lab.system.accounts.owner_of("0003*101").multi_user = False
    await flag_is(office, False)
    await office.comes_to(await office.ask("blind", "102"), "rejected", "permission")
    assert "Transfer" not in lab.acted
    assert (
        "alice, multi user aware False, as VoipNow has it (here it was True)"
        in answer_why(office.engine, USER, None)["sentence"]
    )
    lab.system.accounts.owner_of("0003*101").multi_user = True
    await flag_is(office, True)
    await office.comes_to(await office.ask("blind", "102"), "done")
    assert lab.system.mistakes == []


async def test_voipnow_wins_over_the_store_and_the_journal_says_so(office, lab):
    await flag_is(office, True)
    lab.system.accounts.owner_of("0003*101").multi_user = False
    await flag_is(office, False)
    Directory(office.engine, "test").set_multi_user_aware("alice", True)
    await until(lambda: changes(office)[-1] == (
        "voipnow", "alice", "multi user aware False, as VoipNow has it (here it was True)"
    ), 20)  # fmt: skip
    assert not office.terminal.heard(messages.PERMISSIONS)[-1]["multi_user_aware"]
    with office.engine.connect() as connection:
        assert find_untold(connection) is None


async def test_a_flag_that_was_never_set_is_no_permission(office, lab):
    await flag_is(office, True)
    lab.system.accounts.owner_of("0003*101").multi_user = None
    await flag_is(office, False)


async def test_an_extension_that_is_no_phone_terminal_may_not_transfer(office, lab):
    await flag_is(office, True)
    await office.talk()
    lab.system.accounts.find_extension("0003*101").type = "ivr"
    await flag_is(office, False)
    await office.comes_to(await office.ask("blind", "102"), "rejected", "permission")
    await office.journal_says("check", "refused", "permission")
    assert "is not a phone terminal" in answer_why(office.engine, USER, None)["sentence"]
    assert ("voipnow", "101", "type ivr, as VoipNow has it (here it was term)") in changes(office)


async def test_a_user_with_extensions_of_two_users_needs_the_flag_of_both(office, lab):
    await flag_is(office, True)
    office.enrol("t102", "102")
    await flag_is(office, False)  # 102 is Bob's, who is not multi user aware
    lab.system.accounts.owner_of("0003*102").multi_user = True
    await flag_is(office, True)


async def test_while_voipnow_is_away_what_it_said_last_counts_and_then_nobody_may(lab, tmp_path):
    clock = AheadClock()

    class Later(Office):
        async def open(self):
            from attack_lab.scenery.memory_link import MemoryLink

            self.link = MemoryLink()
            self.bridge = Bridge(self.settings, self.make_pbx(), self.link, clock=clock)
            await self.bridge.start()
            await self.boot()

    async with Later(lab, tmp_path, changes=FOLLOWS) as office:
        await flag_is(office, True)
        await office.talk()
        lab.faults.add("system", "500", ALWAYS)
        await until(lambda: read_following(office.engine).trouble == "it answers 500", 20)
        assert last_flag(office) is True
        await until(lambda: office.bridge.parts.directory.snapshot.source_trouble != "", 20)
        await office.comes_to(await office.ask("blind", "102"), "done")
        assert "what the PBX had said last" in answer_why(office.engine, USER, None)["sentence"]
        clock.ahead = USUAL_KEEP_S
        await flag_is(office, False)
        (place,) = (one for one in read_following(office.engine).places if one.number == USER)
        assert place.is_expired
        assert any("has not said for too long" in what for _, _, what in changes(office))
        lab.faults.clear()
        await flag_is(office, True)
        assert changes(office)[-1][2] == "VoipNow says again who is multi user aware"
        with office.engine.connect() as connection:
            assert find_untold(connection) is None


async def test_of_whom_voipnow_has_never_spoken_nobody_may_transfer(lab, tmp_path):
    lab.faults.add("system", "500", ALWAYS)
    async with Office(lab, tmp_path, changes=FOLLOWS) as office:
        await flag_is(office, False)
        await office.talk()
        await office.comes_to(await office.ask("blind", "102"), "rejected", "permission")
        sentence = answer_why(office.engine, USER, None)["sentence"]
        assert "the PBX is to say whether the user of this extension is multi user aware, and has not" in sentence
        lab.faults.clear()
        await flag_is(office, True)


async def test_an_extension_that_voipnow_does_not_have_is_named_with_its_fault(office, lab):
    await flag_is(office, True)
    office.enrol("t199", "199")
    await until(lambda: ("voipnow", "199") in [one[:2] for one in changes(office)], 20)
    assert any("does not tell" in what and "fault 117" in what for _, _, what in changes(office))
    assert reading.read_snapshot(office.engine).terminals["t199"].is_unconfirmed
    assert last_flag(office) is True


async def test_a_new_terminal_has_its_permission_without_waiting_for_the_next_look(lab, tmp_path):
    async with Office(lab, tmp_path, changes=(*FOLLOWS, "voipnow.permissions_poll_s=3600")) as office:
        await flag_is(office, True)
        lab.system.accounts.owner_of("0003*103").multi_user = True
        directory = Directory(office.engine, "test")
        directory.add_user("carol")
        directory.add_extension("103", "carol")
        directory.add_terminal("t103", "103")
        await until(lambda: reading.read_snapshot(office.engine).terminals["t103"].may_transfer, 20)


async def test_the_next_start_begins_with_what_was_said_last(lab, tmp_path):
    async with Office(lab, tmp_path, changes=FOLLOWS) as office:
        await flag_is(office, True)
        await office.bridge.stop()
        lab.faults.add("system", "cut-before", ALWAYS)
        lab.faults.add("wsdl", "cut-before", ALWAYS)
        await office.open()
        await flag_is(office, True)


async def test_with_the_store_in_charge_again_voipnow_is_not_asked_and_nothing_expires(lab, tmp_path):
    async with Office(lab, tmp_path, changes=FOLLOWS) as office:
        await flag_is(office, True)
        await office.bridge.stop()
        lab.system.requests.clear()
        office.settings = office.settings.model_copy(
            update={"voipnow": load_settings(None, lab.bridge_settings).voipnow}
        )
        await office.open()
        await flag_is(office, True)
        assert lab.system.requests == []
        assert read_following(office.engine).source == ""
        assert ("bridge", "site", "from now on the store alone says who is multi user aware") in changes(office)


async def test_who_puts_a_flag_into_the_store_past_the_journal_is_found_out(office, lab):
    await flag_is(office, True)
    with office.engine.begin() as connection:
        connection.execute(tables.pbx_permissions.update().values(is_expired=True))
        assert "pbx permission" in find_untold(connection)


async def test_users_of_a_removed_extension_are_followed_no_more(office, lab):
    await flag_is(office, True)
    lab.system.accounts.users.append(User(24, "Dora"))
    Directory(office.engine, "test").remove_extension("101")
    PbxPermissions(office.engine, "VoipNow", "test").expire(["101"], "it came too late")
    PbxPermissions(office.engine, "VoipNow", "test").take({"101": ToldExtension("21", "term", True)}, {"101": "no"})
    assert read_stored(office.settings.store.path).terminals == ()
    with office.engine.connect() as connection:
        assert connection.execute(sa.select(tables.pbx_permissions)).all() == []
        assert find_untold(connection) is None
