"""Updates a board's files to those of an image: copies what changed, verifies hashes, then replaces all at once.

Does not restart the board, ask, or save anything. Every changed file is first written beside the one it replaces, with
the ending `.new`, and its hash is computed on the board. Only when all are there and right are they renamed, within one
command. So an interrupted copy leaves the terminal as it was, and the next one continues with the files that are there
already. A board without a terminal gets the manifest first, which says whose the files are, then boot.py and main.py:
they start, and say what is missing.
Files that are not ours and in the way are removed before anything is copied; whoever calls has saved them. All others
stay. Where the firmware is in MicroPython itself ours are all removed, with their folder.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from device_cable import files
from device_cable.cable import Cable
from device_cable.foreign import STOCK_BOOT_BYTES, Foreign, find_foreign
from device_cable.image import FIRMWARE, MANIFEST, STARTED_FIRST, Image
from device_cable.installed import NEW, read_installed
from device_cable.problem import BoardFull, CableProblem

_INLINE_BYTES = 1024  # a littlefs keeps smaller files beside their names, so removing one frees nothing
_SPARE_BLOCKS = 2  # for the names themselves


@dataclass(frozen=True)
class FlashPlan:
    """The work to do: paths in the order in which they are put in place.

    changed: to be put in place; staged: those of them that are already there as `.new`; removed: ours, no longer
    needed; is_first: there is no terminal yet; has_manifest: there is a manifest of ours; foreign: in the way and not
    ours; new_folders: to be made.
    """

    changed: tuple[str, ...]
    staged: frozenset[str]
    removed: tuple[str, ...]
    is_first: bool
    has_manifest: bool
    foreign: Foreign
    new_folders: tuple[str, ...]
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
    files.ignore_modules(cable)
    there = files.list_all(cable)
    installed = read_installed(cable, there)
    hashes = files.hash_files(cable, _worth_hashing(there.sizes, image))
    foreign = find_foreign(there, image, hashes, installed)
    changed = [path for path in image.contents if path in foreign.sizes or hashes.get(path) != image.hashes[path]]
    staged = frozenset(path for path in changed if hashes.get(path + NEW) == image.hashes[path])
    kept = set(image.contents) | {MANIFEST} | {path + NEW for path in (*changed, MANIFEST)} | set(foreign.sizes)
    ours = installed.paths | image.frozen | {path + NEW for path in (*image.contents, *image.frozen)}
    return FlashPlan(
        tuple(sorted(changed, key=_place)), staged, tuple(sorted((ours & set(there.sizes)) - kept)),
        "main.py" not in there.sizes or "main.py" in foreign.sizes,
        installed.has_manifest, foreign,
        tuple(path for path in files.folders_of(changed) if path not in there.folders),
        {path: image.contents[path] for path in changed},
    )  # fmt: skip


def check_room(cable: Cable, plan: FlashPlan, image: Image) -> None:
    """Refuse, before anything is changed, if the board has no room."""
    free, block = files.free_bytes(cable)
    free += sum(_blocks(size, block) * block for size in plan.foreign.sizes.values() if size > _INLINE_BYTES)
    sizes = [len(plan.contents[path]) for path in plan.to_copy] + [len(image.manifest)]
    needed = (sum(_blocks(size, block) for size in sizes) + 2 * len(plan.new_folders) + _SPARE_BLOCKS) * block
    if free < needed:
        raise BoardFull(f"{_no_room()} It has {free} bytes free and {needed} are needed. Nothing was changed.")


def carry_out(cable: Cable, plan: FlashPlan, image: Image, on_copied: Callable[[str, int], None]) -> None:
    """Carry out a plan for which there is room; `on_copied` gets each file and the number of bytes copied so far.

    BoardFull: the terminal is unchanged, and the copied files were removed again.
    """
    files.remove_all(cable, plan.foreign.reasons)
    first = tuple(path for path in STARTED_FIRST if path in plan.contents) if plan.is_first else ()
    rest = tuple(path for path in plan.changed if path not in first)
    begun: tuple[str, ...] = ()
    try:
        if plan.is_first:
            if not plan.has_manifest:
                _stage_manifest(cable, image)
                begun = (MANIFEST,)
                files.replace_files(cable, begun, NEW, ())
            _stage(cable, plan, first, on_copied)
            begun = (*begun, *first)
            files.replace_files(cable, first, NEW, ())
        files.make_folders(cable, plan.changed)
        _stage(cable, plan, rest, on_copied)
        if MANIFEST not in begun:
            _stage_manifest(cable, image)
    except BoardFull:
        _undo(cable, plan, begun)
        raise BoardFull(f"{_no_room()} {_left(plan)}") from None
    swept = (FIRMWARE.rstrip("/"),) if image.frozen else ()
    try:
        manifest = () if MANIFEST in begun else (MANIFEST,)  # last: while there is work, the old one says what is ours
        files.replace_files(cable, rest, NEW, plan.removed, swept, manifest)
    except BoardFull:
        raise BoardFull(f"{_no_room()} The files are replaced in part: the same command goes on from there.") from None


def verify(cable: Cable, image: Image) -> int:
    """Check the hash of every file of the image on the board; return their number. CableProblem names a wrong one."""
    hashes = files.hash_files(cable, image.contents)
    for path, digest in image.hashes.items():
        if hashes[path] != digest:
            raise CableProblem(f"The file {path} on the board is not what was copied: run make flash again.")
    return len(hashes)


def _stage_manifest(cable: Cable, image: Image) -> None:
    """Write the manifest beside the one it replaces, and verify it."""
    cable.write_file(MANIFEST + NEW, image.manifest, lambda _: None)
    if files.hash_files(cable, [MANIFEST + NEW])[MANIFEST + NEW] != _hash(image.manifest):
        raise _garbled(MANIFEST)


def _stage(cable: Cable, plan: FlashPlan, paths: Iterable[str], on_copied: Callable[[str, int], None]) -> None:
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
            raise _garbled(path)


def _garbled(path: str) -> CableProblem:
    return CableProblem(f"The file {path} did not arrive as it was sent: check the cable, run make flash again.")


def _blocks(size: int, block: int) -> int:
    return -(-size // block)


def _no_room() -> str:
    return (
        "The board's file system is full: remove files that are not the terminal's (mpremote ls, mpremote rm), or "
        "begin with an empty board (esptool erase-flash)."
    )


def _left(plan: FlashPlan) -> str:
    """Say what a full board has kept."""
    if plan.foreign.reasons:
        return "What was in the terminal's way is removed and saved on this computer; nothing else was changed."
    return "Nothing was changed."


def _undo(cable: Cable, plan: FlashPlan, begun: Iterable[str]) -> None:
    """Remove what was copied, and the folders made for it."""
    copied = [*(path + NEW for path in (*plan.changed, MANIFEST)), *begun]
    for path in copied:
        with contextlib.suppress(CableProblem):
            cable.run(f"import os\nos.remove({path!r})")
    for folder in reversed(plan.new_folders):
        with contextlib.suppress(CableProblem):
            cable.run(f"import os\nos.rmdir({folder!r})")


def _worth_hashing(there: dict[str, int], image: Image) -> list[str]:
    """Return the files that have the right size, those that an interrupted copy left, and MicroPython's boot.py."""
    sizes = {path: len(content) for path, content in image.contents.items()}
    return [
        path for path, size in there.items()
        if sizes.get(path.removesuffix(NEW)) == size or (path, size) == ("boot.py", STOCK_BOOT_BYTES)
    ]  # fmt: skip


def _place(path: str) -> tuple[int, str]:
    """Return the order of replacement: dependencies first, start files last."""
    if path in STARTED_FIRST:
        return 3 + STARTED_FIRST.index(path), path
    if path.startswith("phoneterm/core/"):
        return 0, path
    return (1 if path.startswith("phoneterm/device/") else 2), path


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
