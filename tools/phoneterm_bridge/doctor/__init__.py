"""`phoneterm doctor`: looks at everything the bridge needs and says what is wrong, with the line to change.

Changes nothing, and may be run beside a bridge that works. One file a source of findings; `examination` asks them all.
"""
