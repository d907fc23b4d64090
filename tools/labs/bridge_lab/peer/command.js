// The function of the flow: a command comes in, the PBX is asked, and what it says goes out.
const command = JSON.parse(msg.payload.toString().split("\n")[0]);
const parts = msg.topic.split("/");
const ask = {
    action: "BlindTransfer",
    channel: global.get("channels")[parts[3]],
    exten: command.number,
    context: "internal",
};
global.get("ami").action(ask, (error, answer) => {
    const state = error ? "failed" : "done";
    const topic = parts.slice(0, 4).join("/") + "/down/result";
    node.send({ topic, payload: JSON.stringify({ v: 1, id: command.id, state }), qos: 1, retain: false });
});
