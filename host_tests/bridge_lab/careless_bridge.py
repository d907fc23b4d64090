"""A bridge that asks the PBX twice for every command, which the bench must detect. Run by test_bench."""

import asyncio
import json
import os

import gmqtt
from gmqtt.mqtt.constants import MQTTv311
from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.settings import AmiSettings


class Silent:
    """A receiver of the AMI client's events that does nothing."""

    async def on_connected(self):
        pass

    def on_disconnected(self):
        pass

    def on_event(self, event):
        pass


async def main():
    channels, secret = json.loads(os.environ["LAB_CHANNELS"]), os.environ["LAB_SECRET"]
    settings = AmiSettings("127.0.0.1", int(os.environ["LAB_PBX_PORT"]), os.environ["LAB_PBX_USER"], secret)
    ami = AmiClient(settings, Silent())
    await ami.start()
    client = gmqtt.Client(None)

    async def take(client, topic, payload, qos, properties):
        command, parts = json.loads(payload.partition(b"\n")[0]), topic.split("/")
        headers = [("Channel", channels[parts[3]]), ("Exten", command["number"]), ("Context", "internal")]
        for _ in range(2):
            await ami.ask("BlindTransfer", headers)
        topic = "/".join([*parts[:4], "down", "result"])
        client.publish(topic, json.dumps({"v": 1, "id": command["id"], "state": "done"}), qos=1)
        return 0

    client.on_message = take
    client.on_subscribe = lambda *_: print("subscribed", flush=True)
    client.set_auth_credentials(os.environ["LAB_MQTT_USER"], secret)
    await client.connect("127.0.0.1", int(os.environ["LAB_MQTT_PORT"]), version=MQTTv311)
    client.subscribe(os.environ["LAB_FILTER"], qos=1)
    await asyncio.Event().wait()


asyncio.run(main())
