"""Stories about the MQTT client and a broker, for client_lab.py: coroutine functions of a ClientLab and arguments.

Does not judge, and does not know which broker it runs with.
"""

import asyncio
import gc
import os
import sys

FILES_OPEN = "/proc/self/fd"


async def up(lab):
    await lab.up()
    lab.say("up")


async def up_for_long(lab):
    await lab.up()
    lab.say("up")
    await asyncio.sleep(60)


async def up_for_a_while(lab):
    await lab.up()
    lab.say("up")
    await asyncio.sleep_ms(1200)
    lab.say(lab.client.connects)


async def up_until_lost(lab):
    await lab.up()
    await lab.until(lambda: not lab.client.is_up)
    await asyncio.sleep(10)


async def tries(lab, lasts_ms):
    lab.start()
    await asyncio.sleep_ms(lasts_ms)
    lab.say(lab.client.is_up)


async def tries_and_its_links(lab):
    lab.start()
    await asyncio.sleep_ms(200)
    lab.say(lab.links)


async def tries_and_its_pauses(lab):
    lab.start()
    await asyncio.sleep_ms(500)
    lab.say(lab.client.is_up, lab.links, lab.after_refusal.next_ms(0), lab.after_loss.next_ms(0))


async def publish_and_hear(lab):
    await lab.up()
    lab.say(await lab.client.publish("t", b"p", 1, True))
    await lab.until(lambda: lab.messages)


async def hear_two(lab):
    await lab.up()
    await lab.until(lambda: len(lab.messages) == 2)
    lab.say(lab.messages[0][1].decode(), len(lab.messages[1][1]))


async def hear_500(lab):
    count = [0]
    lab.on_message = lambda topic, payload, is_retained: count.append(count.pop() + (payload == b"hi"))
    await lab.up()
    await lab.until(lambda: count == [500])
    lab.say("all")


async def hear_until_next(lab):
    await lab.up()
    await lab.until(lambda: lab.messages and lab.messages[-1][1] == b"next")
    await asyncio.sleep_ms(20)
    lab.say([len(row[1]) for row in lab.messages], lab.client.dropped)


async def hear_one_and_its_links(lab):
    await lab.up()
    await lab.until(lambda: lab.messages)
    lab.say(lab.messages[0][1].decode(), lab.links)


async def hear_one_and_the_links(lab):
    await lab.up()
    await lab.until(lambda: lab.messages)
    lab.say(lab.links)


async def hear_one_and_the_connects(lab):
    await lab.up()
    await lab.until(lambda: lab.messages)
    lab.say(lab.client.connects)


async def hear_one_and_the_unexpected(lab):
    await lab.up()
    await lab.until(lambda: lab.messages)
    lab.say(lab.client.unexpected, lab.client.connects)


async def hear_three(lab):
    await lab.up()
    await lab.until(lambda: len(lab.messages) == 3)
    lab.say([row[1].decode() for row in lab.messages])


async def hear_what_was_kept(lab):
    await lab.up()
    await asyncio.sleep_ms(20)
    lab.say(lab.links, lab.messages[0][1].decode())


async def hear_retained_and_new(lab, retained, topic):
    await lab.up()
    await lab.until(lambda: (retained, b"kept", True) in lab.messages)
    lab.say("kept")
    for qos in (0, 1):
        await lab.until(lambda qos=qos: (topic, b"now %d" % qos, False) in lab.messages)
    lab.say("now")


async def hear_a_short_one(lab, topic):
    await lab.up()
    lab.say("up")
    await lab.until(lambda: lab.messages)
    lab.say(lab.messages == [(topic, b"short", False)], lab.client.dropped, lab.client.connects)


async def late_acknowledgement(lab):
    await lab.up()
    is_good, ms = await lab.timed(lab.client.publish("t", b"1", 1, False, 100))
    lab.say(is_good, 100 <= ms < 160)
    lab.say(await lab.client.publish("t", b"2", 1, False, 1000), lab.client.unexpected, lab.client.is_up)


async def publish_and_lose(lab):
    await lab.up()
    is_good, ms = await lab.timed(lab.client.publish("t", b"1", 1, False, 5000))
    lab.say(is_good, ms < 1000)


async def cancelled_publish(lab):
    await lab.up()
    task = asyncio.create_task(lab.client.publish("t", b"cancelled", 1))
    await asyncio.sleep_ms(30)
    task.cancel()
    early = asyncio.create_task(lab.client.publish("t", b"at once", 1))
    await asyncio.sleep_ms(0)
    early.cancel()
    lab.say(await lab.client.publish("t", b"whole", 1))


async def publish_until_given_up(lab):
    await lab.up()
    payload = bytes(2000)
    told = [0, 0]
    while not told[0]:
        told[await lab.client.publish("t", payload, 0)] += 1
        await asyncio.sleep_ms(0)
    lab.say(told[0] > 0)
    await lab.until(lambda: not lab.client.is_up)
    lab.say("given up")


async def sender_that_dies(lab):
    await lab.up()
    lab.tasks["send"].cancel()
    await asyncio.sleep_ms(10)
    lab.tasks["send"] = asyncio.create_task(lab.client.send())
    lab.say(await lab.client.publish("t", b"1", 1), lab.client.connects)


async def publish_both_ways(lab, topic):
    await lab.up()
    lab.say(await lab.client.publish(topic, b"sent once", 0))
    lab.say(await lab.client.publish(topic, b"acknowledged", 1))


async def publish_ten_at_once(lab, topic):
    await lab.up()
    outcomes = await asyncio.gather(*[lab.client.publish(topic, b"%d" % n, 1) for n in range(10)])
    lab.say(outcomes)
    await asyncio.sleep(10)


async def publish_once_up(lab, topic):
    lab.start()
    await lab.until(lambda: lab.client.is_up)
    lab.say("up")
    lab.say(await lab.client.publish(topic, bytes(400), 1, deadline_ms=5000), lab.client.connects)


async def publish_or_be_refused(lab, topic):
    lab.start()
    await lab.until(lambda: lab.client.is_up or lab.logged)
    lab.say(lab.client.is_up, await lab.client.publish(topic, bytes(400), 1))


async def publish_with_a_late_answer(lab, topic):
    await lab.up()
    lab.say(await lab.client.publish(topic, b"held", 1, deadline_ms=300), lab.client.is_up)
    lab.say(await lab.client.publish(topic, b"next", 1, deadline_ms=5000), lab.client.connects)


async def publish_while_nothing_comes(lab, topic):
    await lab.up()
    lab.say("up")
    await lab.until(lambda: not lab.client.is_up or lab.messages)
    lab.say(await lab.client.publish(topic, b"lost", 1), lab.links)
    await lab.until(lambda: lab.client.is_up)
    lab.say(await lab.client.publish(topic, b"there", 1), lab.links)


async def broker_that_comes_back(lab, topic):
    await lab.up()
    lab.say("up")
    await lab.until(lambda: not lab.client.is_up)
    lab.say("down", await lab.timed(lab.client.publish(topic, b"late", 1)))
    await lab.until(lambda: lab.client.is_up)
    lab.say("again")
    await lab.until(lambda: lab.messages)
    lab.say(await lab.client.publish(topic, b"after", 1), lab.links)


async def given_up_three_times_at_once(lab):
    await lab.up()
    for _ in range(5):
        for reason in ("cut", "the network is gone", "nothing heard"):
            lab.client.drop(reason)
        await lab.until(lambda: lab.client.is_up)
    lab.say(lab.client.connects, lab.links)


async def cut_five_times(lab):
    await lab.up()
    for _ in range(5):
        lab.client.drop("cut by the test")
        await lab.until(lambda: lab.client.is_up)
        lab.after_loss.reset()
    lab.say(lab.client.connects, lab.links, "network" in sys.modules)


async def cut_once(lab):
    await lab.up()
    lab.client.drop("cut by the test")
    await lab.until(lambda: lab.client.is_up)
    lab.say(lab.client.connects)


async def pauses_after_losses(lab):
    delays_ms = []
    next_ms = lab.after_loss.next_ms

    def watched(random_fraction):
        delays_ms.append(next_ms(random_fraction))
        return delays_ms[-1]

    lab.after_loss.next_ms = watched
    lab.start()
    await lab.until(lambda: len(delays_ms) > 5)
    lab.say(delays_ms[:6])


async def which_pause_after_what(lab):
    delays_ms = []
    lab.after_refusal.next_ms = lambda random_fraction: delays_ms.append("late") or 1
    lab.after_loss.next_ms = lambda random_fraction: delays_ms.append("soon") or 1
    await lab.up()
    lab.client.drop("cut by the test")
    await lab.until(lambda: lab.client.connects == 2)
    lab.client.drop("short of memory", True)
    await lab.until(lambda: lab.client.connects == 3)
    lab.say(delays_ms)


async def pauses_after_short_connections(lab):
    delays_ms = []
    next_ms = lab.after_refusal.next_ms
    lab.after_refusal.next_ms = lambda random_fraction: delays_ms.append(next_ms(random_fraction)) or 1
    await lab.up()
    for connection in range(2, 5):
        lab.client.drop("short of memory", True)
        await lab.until(lambda connection=connection: lab.client.connects == connection)
    lab.say(delays_ms)


async def sockets_after_a_refusal(lab):
    gc.disable()
    before = len(os.listdir(FILES_OPEN))
    lab.start()
    await lab.until(lambda: lab.logged)
    lab.say(len(os.listdir(FILES_OPEN)) - before)
