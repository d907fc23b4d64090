"""A module that is not slimmed and uses `ours`, so the names that it uses must stay. It does nothing else."""

from ours import user

print(user.run(None), user.hide, user.late, user.hand_over, user.Pair, user.greet, user.state)


def show(module):
    return module.LONG
