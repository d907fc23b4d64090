"""Installs the bridge as a service of systemd, upgrades it and takes it away; `__main__.py` says how to run it.

Does not import any other part or package: it runs with a plain Python, before anything is installed.
"""
