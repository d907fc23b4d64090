"""What goes wrong at the stand-in, and when. Does not make anything go wrong itself.

A kind of request is "token", "list", "action", "event", "wsdl", "system" (SystemAPI reads) or "update" (it writes), or
one action by its name: "Transfer", "OnHold", "OffHold", "MakeCall" or "HangUp". The ways it can go wrong:
- "cut-before": the connection ends, and nothing was done; "cut-after": it was done, and then the connection ends;
- "half": the answer ends in its middle; "no-json": it is a page for people; "redirect": it leads elsewhere;
- "slow": it comes after `slow_s`; "nothing": it is a bare 204, although there is something;
- a number, such as "429" or "500": that status, and nothing is done;
- "fault 117" and so on, for SystemAPI: a SOAP fault with that number, and nothing is done;
- "bomb": XML that would fill the memory; "external": XML with something that lies elsewhere;
- "lose-call": the other party hangs up just before the action is carried out.
At SystemAPI a kind of request is "wsdl" (or an XSD), "system" (it reads) or "update" (it writes).
"""

from collections import defaultdict, deque

ALWAYS = -1
SHOWN_ERRORS = ("400", "401", "403", "404", "429", "500", "502", "503")


class Faults:
    """The faults that are still to come, by kind of request; the first one of a kind comes first."""

    def __init__(self) -> None:
        """Nothing goes wrong."""
        self.slow_s = 1.0
        self._coming: defaultdict[str, deque[tuple[str, int]]] = defaultdict(deque)

    def add(self, kind: str, way: str, times: int = 1) -> None:
        """Let the next requests of a kind go wrong in this way; ALWAYS: until `clear`."""
        self._coming[kind].append((way, times))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._coming.clear()

    def take(self, kind: str) -> str | None:
        """Return how this request goes wrong, or None."""
        coming = self._coming[kind]
        if not coming:
            return None
        way, times = coming[0]
        if times == 1:
            coming.popleft()
        elif times > 1:
            coming[0] = (way, times - 1)
        return way
