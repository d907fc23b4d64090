"""A copy of the firmware with more rows in the table of operations, and programs that have it first on their path.

Does not change the project: the copy is in a folder of the test.
"""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

_FIRMWARE = Path(__file__).parents[2] / "firmware"
_HOST_TESTS = Path(__file__).parents[1]
PATIENCE_S = 60


def copy_firmware(folder, row, words):
    """Return the copied firmware with these additional rows in the table, and in the words for people."""
    copy = folder / "firmware"
    shutil.copytree(_FIRMWARE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    table = copy / "phoneterm/core/operations.py"
    text = table.read_text()
    for name, more in (("_TABLE", row), ("_WORDS", words)):
        opening = f'{name} = (\n    "\\n"\n'
        assert text.count(opening) == 1
        text = text.replace(opening, f'{opening}    "{more}\\n"\n')
    table.write_text(text)
    return copy


async def run(program, firmware, *arguments):
    """Run a program of this folder with that firmware; return its last output, a JSON document in one line."""
    path = os.pathsep.join([str(firmware), str(_HOST_TESTS)])
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name(program)), str(firmware), *map(str, arguments),
        env={**os.environ, "PYTHONPATH": path}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output
    return json.loads(output.splitlines()[-1])
