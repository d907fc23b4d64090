"""What the probes that write into the store's file have in common: harm a fresh journal, and have it verified."""

from collections.abc import Callable, Iterable
from pathlib import Path

from attack_lab.scenery.tampered_journal import ask_journal, fill_journal
from attack_lab.site import Site


async def find_unnoticed(site: Site, do: Callable[[Path, str], None], harms: Iterable[str]) -> str | None:
    """Do each harm to a journal of its own; return the first that `phoneterm journal verify` does not notice."""
    sound = site.new_folder() / "sound.db"
    await fill_journal(sound)
    code, said = ask_journal(sound, "verify")
    if code:
        return f"a journal that nobody has touched is not whole: {said}"
    for harm in harms:
        path = site.new_folder() / "harmed.db"
        path.write_bytes(sound.read_bytes())
        path.chmod(0o600)
        do(path, harm)
        code, said = ask_journal(path, "verify")
        if code != 1 or "broken" not in said:
            return f"{harm}: journal verify says {said.splitlines()[0]!r}"
    return None
