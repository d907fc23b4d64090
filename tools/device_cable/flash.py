"""Updates a board's files to those of an image: copies what changed, verifies hashes, then replaces all at once.

Does not restart the board. Every changed file is first written beside the one it replaces, with the ending `.new`, and
its hash is computed on the board. Only when all are there and right are they renamed, within one command. So an
interrupted copy leaves the terminal as it was, and the next one continues with the files that are there already. A
board without a terminal gets boot.py and main.py first: they start, and say what is missing.
The files below phoneterm/ and those that the board's own manifest lists are ours; no others are touched. Where the
firmware is in MicroPython itself they are all removed, with their folder.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from device_cable import files
from device_cable.cable import Cable
from device_cable.image import FIRMWARE, MANIFEST, STARTED_FIRST, Image
from device_cable.problem import BoardFull, CableProblem

NEW = ".new"


@dataclass(frozen=True)
class FlashPlan:
    """The work to do: paths in the order in which they are put in place.

    changed: to be put in place; staged: those of them that are already there as `.new`; removed: no longer needed.
    """

    changed: tuple[str, ...]
    staged: frozenset[str]
    removed: tuple[str, ...]
    is_first: bool
    contents: dict[str, bytes] = field(repr=False)

    @property
    def to_copy(self) -> tuple[str, ...]:
        """Return the files to copy over the cable."""
        return tuple(path for path in self.changed if path not in self.staged)

    @property
    def bytes_to_copy(self) -> int:
        """Return their total size."""
        return sum(len(self.contents[path]) for path in self.to_copy)


def make_plan(cable: Cable, image: Image) -> FlashPlan:
    """Compare the board with the image."""
    there = files.list_files(cable)
    hashes = files.hash_files(cable, _worth_hashing(there, image))
    changed = [path for path in image.contents if hashes.get(path) != image.hashes[path]]
    staged = frozenset(path for path in changed if hashes.get(path + NEW) == image.hashes[path])
    kept = set(image.contents) | {MANIFEST} | {path + NEW for path in (*changed, MANIFEST)}
    ours = _listed_on_board(cable, there) | set(image.contents) | image.frozen | {MANIFEST}
    ours |= {path + NEW for path in ours} | {path for path in there if path.startswith(FIRMWARE)}
    is_first = "main.py" not in there
    return FlashPlan(
        tuple(sorted(changed, key=_place)), staged, tuple(sorted((ours & set(there)) - kept)), is_first,
        {path: image.contents[path] for path in changed},
    )  # fmt: skip


def carry_out(cable: Cable, plan: FlashPlan, image: Image, on_copied: Callable[[str, int], None]) -> None:
    """Carry out the plan; `on_copied` gets each file and the number of bytes copied so far.

    BoardFull: the terminal is unchanged, and the copied files were removed again.
    """
    files.make_folders(cable, plan.changed)
    if plan.is_first:
        first = [path for path in STARTED_FIRST if path in plan.contents]
        _stage(cable, plan, first, on_copied)
        files.replace_files(cable, first, NEW, ())
        plan = _without(plan, first)
    _check_room(cable, plan, image)
    try:
        _stage(cable, plan, plan.changed, on_copied)
        cable.write_file(MANIFEST + NEW, image.manifest, lambda _: None)
    except BoardFull:
        _clear(cable, (*plan.changed, MANIFEST))
        raise BoardFull(f"{_no_room()} Nothing was changed.") from None
    swept = (FIRMWARE.rstrip("/"),) if image.frozen else ()
    files.replace_files(cable, (*plan.changed, MANIFEST), NEW, plan.removed, swept)


def verify(cable: Cable, image: Image) -> int:
    """Check the hash of every file of the image on the board; return their number. CableProblem names a wrong one."""
    hashes = files.hash_files(cable, image.contents)
    for path, digest in image.hashes.items():
        if hashes[path] != digest:
            raise CableProblem(f"The file {path} on the board is not what was copied: run make flash again.")
    return len(hashes)


def _stage(
    cable: Cable, plan: FlashPlan, paths: tuple[str, ...] | list[str], on_copied: Callable[[str, int], None]
) -> None:
    """Write each file beside the one it replaces, unless it is there already, and verify it."""
    for path in paths:
        if path in plan.staged:
            continue

        def report(count: int, path: str = path) -> None:
            on_copied(path, count)

        cable.write_file(path + NEW, plan.contents[path], report)
    proven = files.hash_files(cable, [path + NEW for path in paths])
    for path in paths:
        content_hash = proven[path + NEW]
        if content_hash != _hash(plan.contents[path]):
            raise CableProblem(f"The file {path} did not arrive as it was sent: check the cable, run make flash again.")


def _check_room(cable: Cable, plan: FlashPlan, image: Image) -> None:
    """Refuse, before anything is copied, if the board has no room."""
    free, block = files.free_bytes(cable)
    sizes = [len(plan.contents[path]) for path in plan.to_copy] + [len(image.manifest)]
    needed = sum(-(-size // block) * block for size in sizes)
    if free < needed:
        _clear(cable, plan.changed)
        raise BoardFull(f"{_no_room()} It has {free} bytes free and {needed} are needed. Nothing was changed.")


def _no_room() -> str:
    return (
        "The board's file system is full: remove files that are not the terminal's (mpremote ls, mpremote rm), or "
        "begin with an empty board (esptool erase-flash)."
    )


def _clear(cable: Cable, paths: tuple[str, ...]) -> None:
    """Remove the `.new` files."""
    for path in paths:
        with contextlib.suppress(CableProblem):
            cable.run(f"import os\nos.remove({path + NEW!r})")


def _without(plan: FlashPlan, paths: list[str]) -> FlashPlan:
    left = tuple(path for path in plan.changed if path not in paths)
    return FlashPlan(left, plan.staged, plan.removed, plan.is_first, plan.contents)


def _worth_hashing(there: dict[str, int], image: Image) -> list[str]:
    """Return the files that already have the right size, and those that an interrupted copy left."""
    sizes = {path: len(content) for path, content in image.contents.items()}
    return [path for path, size in there.items() if sizes.get(path.removesuffix(NEW)) == size]


def _listed_on_board(cable: Cable, there: dict[str, int]) -> set[str]:
    """Return the files of the last flash, according to the board's own manifest."""
    if MANIFEST not in there:
        return set()
    try:
        return set(json.loads(cable.run(f"print(open({MANIFEST!r}).read())"))["files"])
    except (ValueError, KeyError, TypeError):
        return set()


def _place(path: str) -> tuple[int, str]:
    """Return the order of replacement: dependencies first, start files last."""
    if path in STARTED_FIRST:
        return 3 + STARTED_FIRST.index(path), path
    if path.startswith("phoneterm/core/"):
        return 0, path
    return (1 if path.startswith("phoneterm/device/") else 2), path


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
