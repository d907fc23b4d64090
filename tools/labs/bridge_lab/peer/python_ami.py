"""What python-ami's users build: paho-mqtt takes a message, SimpleAction asks the PBX, the answer is published.

Does not check anything. Run by `peers`, with both packages on the path; TCP_NODELAY is set on both connections.
"""

import json
import os
import socket

import paho.mqtt.client as mqtt
from asterisk.ami import AMIClient, SimpleAction

secret = os.environ["LAB_SECRET"]
channels = json.loads(os.environ["LAB_CHANNELS"])
ami = AMIClient(address="127.0.0.1", port=int(os.environ["LAB_PBX_PORT"]))
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)


def on_connect(client, userdata, flags, reason, properties):
    client.subscribe(os.environ["LAB_FILTER"], qos=1)
    print("subscribed", flush=True)


def on_message(client, userdata, message):
    command = json.loads(message.payload.partition(b"\n")[0])
    parts = message.topic.split("/")

    def on_answer(response):
        state = "done" if response.status == "Success" else "failed"
        payload = json.dumps({"v": 1, "id": command["id"], "state": state})
        client.publish("/".join([*parts[:4], "down/result"]), payload, qos=1)

    action = SimpleAction("BlindTransfer", Channel=channels[parts[3]], Exten=command["number"], Context="internal")
    ami.send_action(action, callback=on_answer)


def on_socket_open(client, userdata, opened):
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


ami.login(username=os.environ["LAB_PBX_USER"], secret=secret)
ami._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.on_connect, client.on_message, client.on_socket_open = on_connect, on_message, on_socket_open
client.max_inflight_messages_set(1000)
client.username_pw_set(os.environ["LAB_MQTT_USER"], secret)
client.connect("127.0.0.1", int(os.environ["LAB_MQTT_PORT"]))
client.loop_forever()
