"""The probe answers each open point about SystemAPI on the stand-in; its report has no number, name or id."""

import asyncio

import pytest
from attack_lab.scenery.waiting import until
from phoneterm_bridge.doctor.voipnow_system_probe import SystemProbe
from phoneterm_bridge.settings.bridge import load_settings
from voipnow_lab.faults import ALWAYS

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def run(lab, wrong="0003*199", is_flag_changed=False):
    probe = SystemProbe(load_settings(None, lab.bridge_settings).voipnow, "0003*101")
    return dict(await probe.run(wrong, is_flag_changed))


async def test_it_only_reads_unless_it_is_told_to_change(lab):
    seen = await run(lab)
    assert seen["SystemAPI: versions that it takes"] == "latest, 5.2.5, 3.0.0"
    assert seen["SystemAPI 3.5.0"] == "it has no WSDL of SystemAPI that the bridge knows"
    assert seen["SystemAPI latest: GetExtensionDetails"] == "answered, extensionType term"
    assert seen["SystemAPI: multiUser"].startswith("told, after ")
    assert seen["SystemAPI: users without a parent"] == "answered, 3"
    assert seen["SystemAPI: an extension that does not exist"].startswith("fault 117: aaaaa aa aa")
    assert seen["two tokens of one app"] == "both good"
    assert seen["SystemAPI: how soon a change of multiUser is in force"] == "not tried; --change-flag tries it"
    assert lab.acted == []


async def test_a_version_that_is_served_and_not_taken_is_told_apart(lab):
    lab.system.taken = ("3.0.0",)
    seen = await run(lab)
    assert seen["SystemAPI latest: WSDL"].startswith("understood")
    assert seen["SystemAPI latest"] == "it takes no version of SystemAPI that the bridge knows"
    assert seen["SystemAPI: versions that it takes"] == "3.0.0"


async def test_a_change_is_read_back_and_taken_back(lab):
    seen = await run(lab, is_flag_changed=True)
    for point in ("SystemAPI: multiUser changed", "SystemAPI: multiUser changed back"):
        assert "read back after" in seen[point]
    assert lab.system.accounts.owner_of("0003*101").multi_user is True
    assert [fields for name, fields in lab.system.requests if name == "UpdateUserPL"] == [
        {"multiUser": "false", "ID": "21"}, {"multiUser": "true", "ID": "21"}
    ]  # fmt: skip


async def test_whatever_is_answered_meanwhile_the_flag_is_changed_back(lab):
    lab.faults.add("update", "slow")
    lab.faults.slow_s = 0.3
    running = asyncio.create_task(run(lab, is_flag_changed=True))
    await until(lambda: lab.acted == ["UpdateUserPL"], 20)
    lab.faults.add("system", "500", 2)
    assert "read back after" in (await running)["SystemAPI: multiUser changed back"]
    assert lab.system.accounts.owner_of("0003*101").multi_user is True


async def test_what_may_not_be_changed_is_in_the_report(lab):
    lab.faults.add("update", "fault 151", ALWAYS)
    seen = await run(lab, is_flag_changed=True)
    assert seen["SystemAPI: multiUser changed"].startswith("fault 151")


async def test_no_number_name_or_id_is_in_the_report(lab):
    report = "\n".join((await run(lab, is_flag_changed=True)).values())
    assert "0003*" not in report
    assert "Alice" not in report
    assert lab.system.mistakes == []


async def test_a_voipnow_without_systemapi_ends_it(lab):
    lab.system.served = ()
    seen = await run(lab)
    assert seen["SystemAPI: versions that it takes"] == "none"
