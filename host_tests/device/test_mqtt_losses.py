"""How the MQTT client on the MicroPython VM notices that a connection is lost, and what it does then."""

import asyncio

from device.fake_broker import PUBLISH, publish


async def test_a_connection_cut_in_mid_packet_is_made_again(fake_broker, tell):
    async def cut(peer):
        await peer.welcome()
        peer.send(publish(1, b"half of a message")[:9])
        await asyncio.sleep(0.02)
        peer.cut()

    async def whole(peer):
        await peer.welcome()
        peer.send(PUBLISH)
        await peer.until_gone()

    broker = await fake_broker(cut, whole)
    story = await tell(broker.port, "hear_one_and_its_links")
    assert await story.end() == [["hi", [True, False, True]]]
    assert broker.connections == 2


async def test_a_half_open_connection_is_noticed_after_half_a_keepalive(fake_broker, tell):
    """That is 7.5 s at the usual 15; here it is 2 s. `make bench-link` measures it."""

    async def deaf(peer):
        await peer.welcome()
        for _ in range(2):
            assert (await peer.packet()).first == 0xC0
            peer.send(b"\xd0\x00")
        await peer.until_gone()

    async def refuse(peer):
        peer.cut()

    broker = await fake_broker(deaf, refuse)
    story = await tell(broker.port, "up_until_lost", keepalive_s=2)
    assert await story.until_logged("link-lost") == "nothing heard for 1000 ms"


async def test_pings_keep_an_idle_connection_up(fake_broker, tell):
    """They come every quarter of the keepalive; in the test above the connection ends after twice that time."""

    async def script(peer):
        await peer.welcome()
        for _ in range(3):
            assert (await peer.packet()).first == 0xC0
            peer.send(b"\xd0\x00")
        peer.send(PUBLISH)
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "hear_one_and_the_connects", keepalive_s=2)
    assert await story.end() == [[1]]


async def test_a_lost_acknowledgement_is_told_at_the_deadline_and_a_late_one_is_ignored(fake_broker, tell):
    async def script(peer):
        await peer.welcome()
        late = (await peer.packet()).body[3:5]
        other = (await peer.packet()).body[3:5]
        peer.send(b"\x40\x02" + late + b"\x40\x02" + other)
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "late_acknowledgement")
    assert await story.end() == [[False, True], [True, 1, True]]


async def test_a_broker_that_says_nothing_is_given_up(fake_broker, tell):
    async def silent(peer):
        await peer.until_gone()

    async def right(peer):
        await peer.welcome()
        await peer.until_gone()

    broker = await fake_broker(silent, right)
    story = await tell(broker.port, "up", connect_ms=200)
    assert await story.end() == [["up"]]
    assert await story.until_logged("link-lost") == "no answer in 200 ms"


async def test_publishes_that_wait_are_told_when_the_connection_is_lost(fake_broker, tell):
    async def script(peer):
        await peer.welcome()
        await peer.packet()
        peer.cut()

    broker = await fake_broker(script)
    story = await tell(broker.port, "publish_and_lose")
    assert await story.end() == [[False, True]]


async def test_a_cancelled_publish_leaves_no_half_packet_and_no_trace(fake_broker, tell):
    packets = []

    async def script(peer):
        await peer.welcome()
        while not packets or packets[-1].body[5:] != b"whole":
            packets.append(await peer.packet())
        peer.send(b"\x40\x02" + packets[-1].body[3:5])
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "cancelled_publish")
    assert await story.end() == [[True]]
    assert {packet.body[5:] for packet in packets} <= {b"cancelled", b"at once", b"whole"}
    assert packets[0].body[5:] == b"cancelled"


async def test_a_broker_that_takes_nothing_is_given_up_and_every_publish_is_told(fake_broker, tell):
    released = asyncio.Event()

    async def script(peer):
        await peer.welcome()
        await released.wait()

    broker = await fake_broker(script)
    story = await tell(broker.port, "publish_until_given_up", keepalive_s=2, connect_ms=500)
    await story.until_said("given up")
    released.set()
    assert await story.end() == [[True], ["given up"]]


async def test_a_task_that_dies_and_is_started_again_does_not_harm_the_connection(fake_broker, tell):
    async def script(peer):
        await peer.welcome()
        packet = await peer.packet()
        peer.send(b"\x40\x02" + packet.body[3:5])
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "sender_that_dies")
    assert await story.end() == [[True, 1]]


async def test_however_often_a_connection_is_given_up_exactly_one_is_made_in_its_place(fake_broker, tell):
    open_now, most_open = [0], [0]

    async def script(peer):
        open_now[0] += 1
        most_open[0] = max(most_open[0], open_now[0])
        try:
            await peer.welcome()
            await peer.until_gone()
        finally:
            open_now[0] -= 1

    broker = await fake_broker(script)
    story = await tell(broker.port, "given_up_three_times_at_once")
    assert await story.end() == [[6, [True] + [False, True] * 5]]
    assert broker.connections == 6
    assert most_open == [1]


async def test_a_broker_that_hangs_up_every_time_is_asked_ever_more_slowly(fake_broker, tell):
    async def script(peer):
        await peer.packet()
        peer.cut()

    broker = await fake_broker(script)
    story = await tell(broker.port, "pauses_after_losses")
    assert await story.end() == [[[15, 30, 60, 120, 150, 150]]]  # the lab's chance is always a half


async def test_a_connection_given_up_for_lack_of_memory_is_not_made_again_at_once(fake_broker, tell):
    async def script(peer):
        await peer.welcome()
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "which_pause_after_what")
    assert await story.end() == [[["soon", "late"]]]


async def test_a_connection_that_did_not_last_does_not_shorten_the_pauses(fake_broker, tell):
    async def script(peer):
        await peer.welcome()
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "pauses_after_short_connections")
    assert await story.end() == [[[1500, 3000, 6000]]]  # the lab's chance is always a half
