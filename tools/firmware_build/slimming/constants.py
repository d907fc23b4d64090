"""Which constants of a module become values: numbers and short texts under names in capitals.

Does not put them there (`folding.py` does).
"""

import ast

MOST_FOLDED_CHARS = 10  # MicroPython keeps such a short text once, however often it is used


def constants_of(tree: ast.Module) -> dict[str, ast.Constant]:
    """Return the constants of a module: names in capitals that are bound once, to a number or a short text."""
    bound = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, _constant(node.value)
            if value is not None and name.isupper() and bound.count(name) == 1:
                found[name] = value
    return found


def _constant(node: ast.expr) -> ast.Constant | None:
    """Return an expression as a constant, if it is one that may be folded."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "const":
        node = node.args[0]
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    if isinstance(value, int) or (isinstance(value, str) and len(value) <= MOST_FOLDED_CHARS):
        return ast.Constant(value)
    return None
