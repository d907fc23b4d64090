"""Takes the service away: unit, program and command. Does not touch settings, data or the service's user."""

from phoneterm_service import places, program, system


def remove() -> None:
    """Remove the service, and say what stays and how to remove that."""
    system.check_system()
    is_there = places.UNIT_FILE.exists() or places.PROGRAM.exists()
    system.remove_unit()
    program.remove_program()
    print("The service phoneterm-bridge is removed." if is_there else "The service phoneterm-bridge is not installed.")
    kept = [str(path) for path in (places.SETTINGS_FOLDER, places.DATA) if path.exists()]
    if kept:
        print(
            f"Settings, users, terminals and journal stay ({', '.join(kept)}), and so does the user {places.USER}. "
            f"To remove these for good: rm -r {' '.join(kept)} && userdel {places.USER}"
        )
