"""An operation that is in no table, or whose row names no permission, is refused by every check."""

import pytest
import pytest_asyncio
from operations.other_table import copy_firmware, run

ROW = "lend||#9|number|call|done|Lend to"
WORDS = "lend||the caller was lent to {number}"

# By check: its verdict, the same for both operations; {} is the operation's word.
REFUSALS = {
    "collector": "no-such-code",
    "permissions": False,
    "terminal": [],
    "encode": "ValueError",
    "decode": "malformed",
    "config of the phone": "there is no operation {}",
    "config of the bridge": False,
    "policy": ["permission", "no-rule"],
    "checks": [None, "permission", "permission"],
    "checks behind a policy that lets it through": [None, "unsupported", "permission"],
    "calls": ["unsupported"],
    "running commands": "there is no operation '{}'",
    "requests to the PBX": ["failed", "unsupported", 0],
    "backend": ["failed", "unsupported"],
    "second backend": ["failed", "unsupported"],
    "import": ["operations"],
    "directory": "An operation that can be allowed is blind or attended, not '{}'.",
    "why": "asked for {}, which is no operation that this bridge knows. It worked.",
    "why on the command line": 2,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def verdicts(tmp_path_factory):
    """The verdicts, by operation and check."""
    folder = tmp_path_factory.mktemp("refusals")
    return await run("every_check.py", copy_firmware(folder, ROW, WORDS), folder)


def is_refused(verdicts, name, place):
    verdict, refusal = verdicts[name][place], REFUSALS[place]
    return verdict.endswith(refusal.format(name)) if isinstance(refusal, str) else verdict == refusal


@pytest.mark.parametrize("name", ["park", "lend"])
@pytest.mark.parametrize("place", REFUSALS)
async def test_an_operation_without_a_rule_is_refused_by(place, name, verdicts):
    assert is_refused(verdicts, name, place), verdicts[name][place]


@pytest.mark.parametrize("place", REFUSALS)
async def test_an_operation_of_the_table_is_not_refused_so_by(place, verdicts):
    assert not is_refused(verdicts, "blind", place), verdicts["blind"][place]


@pytest.mark.parametrize("name", ["park", "lend", "blind"])
async def test_every_place_that_judges_was_asked(name, verdicts):
    assert verdicts[name].keys() == REFUSALS.keys()
