"""Makes the files of a phone: the firmware as a device gets it, and what is in the ROM of a 32-bit chip.

Does not keep them on the disk. A process that starts many phones needs the same files again and again, so the last
result is kept in memory as long as no source has changed.
"""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from firmware_build.image import make_image
from firmware_build.romfs import make_romfs, romfs_place
from firmware_build.sizes import AT_THE_CABLE, compile_module
from firmware_build.slimming.modules import slim

from virtual_phone import vm
from virtual_phone.build import BOARD, DRIVERS

IMAGE, ROM = "files", "rom"  # the folder that is the chip's flash; beside it, its ROM as a ROMFS image
_MOST_KEPT = 16


@dataclass(frozen=True)
class Sources:
    """What a phone's files are made of: folders, the name of a display's driver, and whether there is a ROM.

    Folders are distinguished by their content; `_digest` reads it.
    """

    firmware: Path = field(compare=False)
    board: Path = field(compare=False)
    display: str = ""
    has_rom: bool = False
    is_frozen: bool = False

    def put_files(self, folder: Path) -> None:
        """Write the phone's files below `folder`; CompileFailed names what does not compile."""
        for name, content in _make_files(self, self._digest()).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)

    def _digest(self) -> str:
        """Return a digest that changes with every file that the phone's files depend on."""
        found = hashlib.sha256()
        of_rom = (self.board, vm.FAKE_MODULES) if self.has_rom else ()
        for folder in (self.firmware, BOARD.parent, AT_THE_CABLE, *of_rom):
            for path in sorted(folder.rglob("*.py")):
                content = path.read_bytes()
                found.update(f"{path.relative_to(folder)} {len(content)} ".encode() + content)
        return found.hexdigest()


@lru_cache(_MOST_KEPT)
def _make_files(sources: Sources, _digest: str) -> Mapping[str, bytes]:
    """Return the contents of the phone's files by their paths."""
    with tempfile.TemporaryDirectory(prefix="phoneterm-made-") as made:
        folder = Path(made)
        _build(sources, folder / IMAGE, folder / ROM)
        paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_relative_to(folder / ROM)]
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def _build(sources: Sources, image: Path, rom: Path) -> None:
    make_image(sources.firmware, image)
    if sources.display:
        compile_module(DRIVERS / f"{sources.display}.py", Path(f"{sources.display}.py"), image)
    if not sources.has_rom:
        return
    modules = {source: source.read_text() for source in vm.FAKE_MODULES.glob("*.py")}
    others = [source.read_text() for folder in (sources.firmware, sources.board) for source in folder.rglob("*.py")]
    texts = slim({source.stem: text for source, text in modules.items()}, others, is_api=True).texts
    for source in modules:
        compile_module(source, Path(source.name), rom, texts[source.stem])
    if sources.is_frozen:
        (image / "phoneterm").rename(rom / "phoneterm")
    make_romfs(rom)


def rom_place(folder: Path) -> Path:
    """Return where the ROM is below the folder that `put_files` has filled."""
    return romfs_place(folder / ROM)
