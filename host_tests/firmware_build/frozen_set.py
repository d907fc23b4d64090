"""The files that a manifest for a frozen image names, by the rules of MicroPython's build: paths are relative to it.

Does not know what MicroPython itself freezes in; manifests of the port are only listed.
"""

from pathlib import Path


class FrozenSet:
    """`modules`: path on the device -> (the file, its level of optimization); `port_manifests`: those not read."""

    def __init__(self, manifest):
        self.port_manifests = []
        self.modules = {}
        self._read(manifest.resolve())

    def _read(self, path):
        names = {
            "include": lambda other: self._include(path, other),
            "module": lambda name, base_path=".", opt=None: self._take(path.parent / base_path, [name], opt),
            "package": lambda name, files=None, base_path=".", opt=None: self._package(
                path.parent / base_path, name, files, opt
            ),
        }
        exec(compile(path.read_text(), str(path), "exec"), names)

    def _include(self, path, other):
        if other.startswith("$(PORT_DIR)/"):
            self.port_manifests.append(other)
        else:
            self._read((path.parent / other).resolve())

    def _package(self, base, name, files, opt):
        found = [file.relative_to(base) for file in (base / name).rglob("*.py")]
        self._take(base, found if files is None else [Path(name) / file for file in files], opt)

    def _take(self, base, paths, opt):
        for path in paths:
            file = (base / path).resolve()
            assert file.is_file(), f"{file} does not exist"
            assert self.modules.setdefault(Path(path).as_posix(), (file, opt)) == (file, opt)
