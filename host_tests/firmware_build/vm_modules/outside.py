"""What is not slimmed and uses `ours`: its names there have to stay. It does nothing else."""

from ours import user

print(user.run(None), user.hide, user.late, user.hand_over, user.Pair, user.greet, user.state)


def show(module):
    return module.LONG
