"""`phoneterm doctor`: checks everything the bridge needs and says what is wrong, with the line to change.

Changes nothing, and may run beside a working bridge. Each source of findings has a file; `examination` asks them all.
"""
