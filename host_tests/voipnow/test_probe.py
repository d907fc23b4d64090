"""The probe answers each open point on the stand-in, and its report has no number and no id."""

import asyncio

import pytest
from pbx.desk import CALLER, USER
from phoneterm_bridge.doctor.voipnow_probe import VoipNowProbe, mask
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_cli.main import make_app
from typer.testing import CliRunner
from voipnow_lab.faults import ALWAYS

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXTENSION = "0003*101"


class Person:
    """Somebody who does what the probe asks for."""

    def __init__(self, lab):
        self._lab = lab
        self.told = []
        self.work = []

    def tell(self, sentence):
        self.told.append(sentence)
        if sentence[0].isdecimal():
            self.work.append(asyncio.create_task(self._call(sentence[0])))

    async def _call(self, step):
        if step == "2":
            await self._lab.hang_up(CALLER)
        if step != "3" or not await self._lab.legs():
            await self._lab.place_call(CALLER, USER)


def make_probe(lab, tell, most_wait_s=20.0, is_composed=False):
    return VoipNowProbe(load_settings(None, lab.bridge_settings).voipnow, EXTENSION, tell, most_wait_s, is_composed)


async def run(lab, target=None, wrong=None, is_composed=False):
    person = Person(lab)
    seen = dict(await make_probe(lab, person.tell, is_composed=is_composed).run(target, wrong))
    await asyncio.gather(*person.work)
    return seen, person


async def test_without_calls_it_only_reads(lab):
    seen, person = await run(lab)
    assert seen["token: expires_in"] == "3600"
    assert seen["list of @self"].startswith("200, 0 calls, fields: ")
    assert seen["rate limit"].startswith("30 reads in a row, ")
    assert seen["rate limit"].endswith("none was refused")
    assert person.told == lab.acted == []


async def test_with_calls_each_open_point_has_an_answer(lab):
    seen, person = await run(lab, "0003*102", "0003*299")
    assert len(person.told) == 4
    assert seen["list: entry"] == "list"
    assert "status=5" in seen["call: view 1 of 2"]
    assert seen["list of one call, from startIndex 1"] == "nothing is there"
    assert seen["@self has the extension's calls"] == "yes"
    assert seen["OnHold: seen in the list"].startswith("after ")
    assert seen["OffHold: seen in the list"].startswith("after ")
    assert seen["ids after hold"] == "call the same, view the same"
    assert seen["Transfer: answer"] == "list"
    assert seen["Transfer: the extension has left the call"].startswith("after ")
    assert seen["Transfer to a wrong number"] == "not taken: it answers 400 (invalid_destination)"
    assert seen["DELETE: what is left of the call"] == "nothing"


async def test_what_a_composed_transfer_needs_is_tried_if_it_is_asked_for(lab):
    seen, person = await run(lab, "0003*102", "0003*299", is_composed=True)
    assert person.told[-1].startswith("4 of 4: ")
    assert seen["a call that is made: its answer"] == "names the call"
    assert seen["a call that is made: seen in the list"].startswith("after ")
    assert seen["a call that is made: named in the list as in its answer"] == "yes"
    assert seen["a call that is made: its own caller id is shown"] == "yes"
    assert seen["a call that is made: picked up"] == "the test extension: status 5, flow 2"
    assert seen["DELETE of it: the extension has left it"].startswith("after ")
    assert seen["Transfer on hold: the extension has left the call"].startswith("after ")
    assert lab.acted[-4:] == ["OnHold", "MakeCall", "HangUp", "Transfer"]


async def test_other_answers_of_the_stand_in_give_another_report(lab):
    lab.shapes.entries, lab.shapes.updated, lab.shapes.checks_target = "object", "object", False
    seen, _ = await run(lab, "0003*102", "0003*299")
    assert (seen["list: entry"], seen["Transfer: answer"]) == ("dict", "dict")
    assert seen["Transfer to a wrong number"].startswith("taken, answered after ")


async def test_a_rate_limit_is_seen(lab):
    lab.faults.slow_s = 0
    lab.faults.add("list", "slow", 2 + 7)  # two lists, and seven reads in a row
    probe = make_probe(lab, lambda sentence: None)
    lab.faults.add("list", "429", ALWAYS)
    seen = dict(await probe.run(None, None))
    assert seen["rate limit"].startswith("7 reads in a row")
    assert seen["rate limit"].endswith("then: it is asked too often (429)")


async def test_no_number_and_no_id_is_in_the_report(lab):
    seen, _ = await run(lab, "0003*102", "0003*299")
    report = "\n".join(seen.values())
    assert "0003*10" not in report
    assert "Somebody" not in report
    assert mask("John <0003*210>") == "aaaa <dddd*ddd>"


async def test_a_call_that_nobody_makes_ends_it_with_what_it_has(lab):
    seen = dict(await make_probe(lab, lambda sentence: None, most_wait_s=0.5).run("0003*102", "0003*299"))
    assert seen["what was not tried"] == "no call of the test extension was answered within 0 s"
    assert "rate limit" in seen
    assert lab.acted == []


async def test_what_does_not_answer_is_in_the_report(lab):
    lab.tokens.is_trusted = False
    seen, _ = await run(lab)
    assert seen["what ended this run"] == "unauthorized_client"


async def test_the_command_prints_the_report_and_says_what_is_missing(lab, tmp_path, monkeypatch):
    settings = tmp_path / "phoneterm.toml"
    sections = {}
    for one in lab.bridge_settings:
        name, _, value = one.partition("=")
        section, _, key = name.partition(".")
        sections.setdefault(section, []).append(
            f"{key} = {value if key in ('poll_ms', 'permissions_poll_s') else repr(value)}"
        )
    settings.write_text("\n".join(f"[{section}]\n" + "\n".join(lines) for section, lines in sections.items()))
    settings.chmod(0o600)
    words = ["voipnow", "probe", "--config", str(settings), "--extension", "101"]
    run_it = CliRunner().invoke
    done = await asyncio.to_thread(run_it, make_app(("voipnow",)), words)
    assert done.exit_code == 0, done.output
    assert "- rate limit: 30 reads in a row" in done.output
    assert "- SystemAPI: versions that it takes: latest, 5.2.5, 3.0.0" in done.output
    assert run_it(make_app(("voipnow",)), [*words, "--target", "102"]).output == (
        "The options --target and --wrong only work together.\n"
    )
    assert run_it(make_app(("voipnow",)), [*words, "--composed"]).output.startswith("The option --composed needs")
    monkeypatch.chdir(tmp_path)
    settings.unlink()
    assert run_it(make_app(("voipnow",)), ["voipnow", "probe", "--extension", "101"]).output.startswith(
        'The settings name no VoipNow: set pbx.kind = "voipnow"'
    )
