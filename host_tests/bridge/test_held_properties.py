"""Random connects, take-overs, losses and revocations: what the broker holds open is what the sockets say."""

import asyncio
import contextlib
import os
import socket
import tempfile
from pathlib import Path

from attack_lab.scenery.raw_client import RawClient
from attack_lab.scenery.scene import Scene
from attack_lab.scenery.waiting import until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MOST = 4
TIDS = ("phone-101", "phone-102")
_CLIENT_IDS = ("a", "b", "c", "d", "e")

_steps = st.one_of(
    st.tuples(st.just("connect"), st.sampled_from(TIDS), st.sampled_from(_CLIENT_IDS)),
    st.tuples(st.just("connect and go"), st.sampled_from(TIDS), st.sampled_from(_CLIENT_IDS)),
    st.tuples(st.just("together"), st.sampled_from(TIDS), st.sampled_from(_CLIENT_IDS)),
    st.tuples(st.just("lose"), st.integers(0, 30), st.none()),
    st.tuples(st.just("cut"), st.sampled_from(TIDS), st.none()),
)


class Site:
    """A bridge with two terminals, and every client that ever got in."""

    def __init__(self, scene, enrolments):
        self.scene = scene
        self.enrolments = enrolments
        self.clients = []

    async def connect(self, tid, client_id):
        client = await RawClient.open(self.scene.bridge.broker_port)
        if await client.log_in(self.enrolments[tid], client_id) == 0:
            self.clients.append((tid, client_id, client))
        else:
            client.abort()

    async def take(self, what, one, other):
        """Do one step of the run."""
        if what == "connect":
            await self.connect(one, other)
        elif what == "together":
            await asyncio.gather(*(self.connect(one, other) for _ in range(3)))
        elif what == "connect and go":
            client = await RawClient.open(self.scene.bridge.broker_port)
            await client.log_in(self.enrolments[one], other)
            client.abort()
        elif what == "lose" and self.clients:
            self.clients.pop(one % len(self.clients))[2].abort()
        elif what == "cut":
            self.scene.bridge.parts.broker.kick(one)
            await until(lambda: self.open(one) == 0)

    def open(self, tid):
        """Return how many connections of a terminal have an open socket at the broker, as the system says."""
        here = {one.writer.get_extra_info("sockname") for _, _, one in self.clients if not one.writer.is_closing()}
        served = find_peers(self.scene.bridge.broker_port)
        mine = {one.writer.get_extra_info("sockname") for owner, _, one in self.clients if owner == tid}
        return len(here & served & mine)


def find_peers(port):
    """Return the other ends of this process's open sockets on a port; only its own, of the machine's many."""
    peers = set()
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # one that is closed meanwhile, or has no other end
            if os.readlink(path).startswith("socket:"):
                with socket.socket(fileno=os.dup(int(path.name))) as one:
                    if one.family == socket.AF_INET and one.getsockname()[1] == port:
                        peers.add(one.getpeername())
    return peers


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_steps, min_size=5, max_size=25))
def test_whatever_happens_no_more_are_open_than_allowed_and_revoking_ends_them_all(steps):
    asyncio.run(_run(steps))


async def _run(steps):
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder), is_embedded=True)
        scene.directory.add_extension("102", "tech1")
        other = scene.directory.add_terminal("phone-102", "102")
        await scene.start()
        scene.bridge.parts.line_watch.note_take_over = lambda tid: 0.0  # its waits have tests of their own
        site = Site(scene, dict(zip(TIDS, (scene.enrolment, other), strict=True)))
        for what, one, another in steps:
            await site.take(what, one, another)
            await until(lambda: all(site.open(tid) <= MOST for tid in TIDS))
        scene.directory.revoke_terminal(TIDS[0])
        await scene.bridge.refresh()
        await until(lambda: site.open(TIDS[0]) == 0)
        await site.connect(*TIDS[:1], "a")
        assert site.open(TIDS[0]) == 0
        scene.directory.rotate_terminal(TIDS[1])
        await scene.bridge.refresh()
        await until(lambda: site.open(TIDS[1]) == 0)
        for _, _, client in site.clients:
            client.abort()
        await scene.stop()
