"""Starts the terminal or safe mode: assembles the terminal, frees the memory of the code that did so, and runs it.

Does not know what the terminal consists of; `phoneterm.assembly` does. One sentence names what is missing or damaged.
The REPL is open when nothing can be started, and after Ctrl-C.
"""

import sys

NEEDED_ONCE = ("board", "phoneterm.assembly", "phoneterm.device.settings", "phoneterm.device.tls")
NOT_COMPLETE = (AttributeError, ImportError, SyntaxError, ValueError)  # what a half-copied firmware raises


def assemble(breadcrumb):
    """Return the coroutine that runs the device for ever; unload the modules that are needed once."""
    from phoneterm import assembly

    life = assembly.assemble(breadcrumb)
    for name in NEEDED_ONCE:
        package, _, module = name.rpartition(".")
        if package:
            delattr(sys.modules[package], module)
        del sys.modules[name]
    return life


def run(breadcrumb):
    """Run the terminal for ever; return why it cannot start. Any other error restarts the device."""
    try:
        import asyncio

        breadcrumb.mark_running()
        asyncio.run(assemble(breadcrumb))
    except NOT_COMPLETE as error:
        return error
    except Exception as error:
        from phoneterm.device.event_log import place_of

        print("start-failed", place_of(error))
        breadcrumb.leave(place_of(error))


def describe_lack(error):
    """Return one sentence that names what is missing, damaged or wrong."""
    try:
        from phoneterm import lack

        return lack.describe(error)
    except NOT_COMPLETE:
        return "incomplete firmware (%s): flash it again" % error


def recover(reason, breadcrumb):
    """Say why the terminal does not run, and stay in safe mode if that can be loaded."""
    if isinstance(reason, Exception):
        reason = describe_lack(reason)
    print("safe mode:", reason)
    try:
        import safe

        if breadcrumb:
            breadcrumb.stop()
        safe.run(reason, breadcrumb)
    except NOT_COMPLETE as error:
        print("no safe mode either:", error)


if __name__ == "__main__":
    shared = globals()
    crumb = shared.get("BREADCRUMB")
    try:
        recover(shared.get("SAFE_REASON", "boot.py is missing") or run(crumb), crumb)
    except KeyboardInterrupt:
        print("stopped")
        if crumb:
            crumb.stop()
