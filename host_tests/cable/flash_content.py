"""The file system in a board's flash, made and read on this computer, as MicroPython has it: a littlefs.

Does not run anything. Contents are files by their paths; a path that ends in "/" is an empty folder.
"""

from littlefs import LittleFS

BLOCK_BYTES = 4096


def make_flash(contents, blocks):
    """Return a flash with these contents."""
    system = _open(blocks)
    system.format()
    system.mount()
    for path, content in contents.items():
        folder, _, name = path.rpartition("/")
        if folder:
            system.makedirs(folder, exist_ok=True)
        if name:
            with system.open(path, "wb") as file:
                file.write(content)
    system.unmount()
    return bytes(system.context.buffer)


def read_flash(flash):
    """Return everything in a flash, folders as paths that end in "/"."""
    system = _open(len(flash) // BLOCK_BYTES)
    system.context.buffer[:] = flash
    system.mount()
    there = {}
    for folder, _, names in system.walk("/"):
        if folder != "/":
            there[folder.strip("/") + "/"] = b""
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            with system.open(path, "rb") as file:
                there[path[1:]] = file.read()
    return there


def _open(blocks):
    return LittleFS(block_size=BLOCK_BYTES, block_count=blocks, read_size=32, prog_size=32, mount=False)
