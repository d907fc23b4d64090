"""Runs the test functions of one file on the MicroPython VM: micropython micropython_runner.py FOLDER MODULE.

Prints "ok NAME" or "failed NAME" with the error for each, then "ran COUNT". Does not need pytest.
"""

import sys


def run(folder, module_name):
    """Import the module from the folder, call each of its test functions, and print the results."""
    sys.path.insert(0, folder)
    module = __import__(module_name)
    names = sorted(name for name in dir(module) if name.startswith("test_"))
    for name in names:
        try:
            getattr(module, name)()
            print("ok", name)
        except Exception as error:
            print("failed", name)
            sys.print_exception(error, sys.stdout)
    print("ran", len(names))


run(sys.argv[1], sys.argv[2])
