"""Messages that the broker wrote together: the handling of each begins, then the end of the batch is reported."""

import asyncio

from bridge.written_broker import PUBLISH, WrittenBroker


def message(name):
    """Return the packet of a message at QoS 0 on the topic t/NAME, without a payload."""
    topic = f"t/{name}".encode()
    return bytes((PUBLISH, 2 + len(topic), 0, len(topic))) + topic


async def test_all_messages_that_came_together_are_begun_with_before_the_end_of_the_batch_is_told():
    heard = []
    is_over = asyncio.Event()

    async def hear(topic, _payload, _is_retained, _acknowledge):
        heard.append(topic)
        await asyncio.sleep(0)  # it is resumed after the end of the batch
        heard.append(f"{topic} done")

    def end_batch():
        heard.append("end")
        is_over.set()

    async with WrittenBroker() as broker:
        broker.make_connection(hear=hear, on_batch=end_batch)
        await broker.open()
        assert heard == []
        await broker.say(message("a") + message("b") + message("c"))
        await asyncio.wait_for(is_over.wait(), 20)
        assert heard[:4] == ["t/a", "t/b", "t/c", "end"]
