"""Flips the permission of the terminal's user and waits until the running terminal has it in force.

Does not restart or prompt the terminal, whose log says what is in force.
"""

import asyncio


async def change_permission(installation, is_allowed):
    """Set the permission, and return once the terminal logs it."""
    words = "may transfer" if is_allowed else "may not transfer"
    known = asyncio.create_task(
        installation.keypad.wait_for_event(lambda event: event["event"] == "log" and event["line"].endswith(words))
    )
    await asyncio.sleep(0)  # lets the task begin to listen
    told = [line for line in await installation.keypad.log() if line.startswith("permissions ")]
    if told and told[-1].endswith(words):
        known.cancel()
        return
    await installation.set_permission(is_allowed)
    await known
