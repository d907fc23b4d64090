"""Starts the terminal: has it put together, gives back the memory of the code that did it, and runs it.

Does not know what it consists of; `phoneterm.assembly` does.
"""

import asyncio
import sys

NEEDED_ONCE = ("phoneterm.assembly", "phoneterm.device.settings", "phoneterm.device.tls")


def assemble():
    """Return the coroutine that is the life of the device; forget the modules that are needed once."""
    from phoneterm import assembly

    life = assembly.assemble()
    for name in NEEDED_ONCE:
        package, _, module = name.rpartition(".")
        delattr(sys.modules[package], module)
        del sys.modules[name]
    return life


if __name__ == "__main__":
    if globals().get("IS_SAFE_MODE"):
        print("safe mode: the terminal was not started; remove the file 'safe' and restart")
    else:
        asyncio.run(assemble())
