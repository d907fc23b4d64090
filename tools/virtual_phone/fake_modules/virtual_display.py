"""A display of two lines of 16 characters that the host shows.

Does not scroll, wrap or keep anything.
"""

from host_link import link


class VirtualDisplay:
    """Takes two lines; only a change reaches the host."""

    def show(self, line1, line2):
        """Show two lines, cut to 16 characters each."""
        link.show("D%s\t%s\n" % (line1[:16], line2[:16]))
