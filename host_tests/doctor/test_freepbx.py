"""The doctor's findings about a dialplan of FreePBX's shapes, on the simulator and on a real Asterisk."""

import pytest
from attack_lab.scenery.fresh_store import open_fresh_store
from doctor.reading import change_of, problems, verdicts
from pbx.desk import make_lab
from phoneterm_bridge.doctor.finding import PROBLEM, WARNING
from phoneterm_bridge.doctor.pbx import examine_pbx
from phoneterm_bridge.doctor.store import read_stored
from phoneterm_bridge.store.directory import Directory

_BOTH = pytest.mark.parametrize("kind", ["simulator", "asterisk"])
_REMEDY = "phoneterm user context from-internal-xfer"


@pytest.fixture
async def examine_freepbx(need_part, make_settings, tmp_path):
    """Return a function that examines a FreePBX-shaped PBX, with extensions in a context of the store."""
    labs = []

    async def examine(kind, context, *numbers, overrides=(), own=(), **options):
        path = tmp_path / f"freepbx-{len(labs)}.db"
        engine = open_fresh_store(path)
        directory = Directory(engine, "test")
        directory.add_user("tech1", True)
        for number in numbers:
            directory.add_extension(number, "tech1", context=context)
        directory.add_terminal("phone", numbers[0])
        engine.dispose()
        labs.append(make_lab(kind, need_part, dialplan="freepbx", **options))
        await labs[-1].start()
        for family, dial_options in dict(own).items():
            number = numbers[0] if family == "AMPUSER" else "1"
            await labs[-1].write_database(family, f"{number}/dialopts", dial_options)
        login = (f"pbx.port={labs[-1].ami.port}", f"pbx.secret={labs[-1].ami.secret}")
        return await examine_pbx(make_settings(*login, *overrides), read_stored(path))

    yield examine
    for lab in labs:
        await lab.stop()


@_BOTH
async def test_for_a_context_that_freepbx_does_not_have_one_command_is_named(kind, examine_freepbx):
    found = await examine_freepbx(kind, "internal", "101")
    assert verdicts(found, "no context internal") == [PROBLEM]
    assert change_of(found, "no context internal").endswith(_REMEDY)


@_BOTH
async def test_the_context_in_which_every_number_exists_is_named_with_the_right_one(kind, examine_freepbx):
    found = await examine_freepbx(kind, "from-internal", "101", "299")
    assert verdicts(found, "has every number") == [WARNING]
    assert change_of(found, "has every number").endswith(_REMEDY)
    assert any("does not have the extensions 299" in sentence for sentence in problems(found))


@_BOTH
async def test_the_context_for_transfers_is_right(kind, examine_freepbx):
    found = await examine_freepbx(kind, "from-internal-xfer", "101", "102")
    assert verdicts(found, "every number") == []
    assert problems(found) == []


@_BOTH
async def test_a_route_that_takes_every_number_is_a_warning(kind, examine_freepbx):
    found = await examine_freepbx(kind, "from-internal-xfer", "101", has_wide_route=True)
    assert verdicts(found, "goes out over a trunk, because outrt-2 takes every number") == [WARNING]
    assert "Outbound Routes" in change_of(found, "goes out over a trunk")


@_BOTH
async def test_numbers_that_no_caller_should_reach_are_named_if_phones_can_key_them(kind, examine_freepbx):
    wide = ("phones.digit_map=internal:[1-8]xx",)
    found = await examine_freepbx(kind, "from-internal-xfer", "101", overrides=wide)
    assert verdicts(found, "no caller should reach: 197 (mailbox), 333 (disa), 555 (spy), 888 (barge)") == [WARNING]
    found = await examine_freepbx(kind, "from-internal-xfer", "101", overrides=("phones.digit_map=internal:10x",))
    assert verdicts(found, "no caller should reach") == []


@_BOTH
async def test_t_and_t_are_added_to_the_options_that_are_there(kind, examine_freepbx):
    found = await examine_freepbx(kind, "from-internal-xfer", "101", allows_transfer=False)
    assert change_of(found, "lacks T or t").endswith("Asterisk Dial Options): HhrTt")


@_BOTH
async def test_an_extension_with_options_of_its_own_is_named(kind, examine_freepbx):
    found = await examine_freepbx(kind, "from-internal-xfer", "101", own={"AMPUSER": "Hhr"})
    assert problems(found) == ["The extension 101 has Dial options of its own, Hhr, without t: it cannot transfer."]
    assert change_of(found, "options of its own").endswith("101, Advanced, Asterisk Dial Options: Hhrt")


@_BOTH
@pytest.mark.parametrize(
    ("options", "verdict", "words", "remedy"),
    [
        ("rM(setmusic)", PROBLEM, "without T: who calls outside over it cannot transfer", "rM(setmusic)T"),
        ("TtM(setmusic)", WARNING, "with t: whoever is called outside over it can transfer", "TM(setmusic)"),
        ("T", None, "The trunk 1", None),
    ],
)
async def test_a_trunk_with_options_of_its_own_is_named(kind, examine_freepbx, options, verdict, words, remedy):
    found = await examine_freepbx(kind, "from-internal-xfer", "101", own={"TRUNK": options})
    assert verdicts(found, words) == ([] if verdict is None else [verdict])
    if verdict is not None:
        place = "FreePBX: Connectivity, Trunks, trunk 1, General, Asterisk Trunk Dial Options"
        assert change_of(found, words) == f"{place}: {remedy}"
