// Node-RED without its editor: one flow, the npm package asterisk-manager, and a table of channels. Made ready by
// `peers.py`, which sets the environment. asterisk-manager sets TCP_NODELAY itself; the MQTT connection gets it here.
const net = require("net");
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
    this.setNoDelay(true);
    return connect.apply(this, given);
};

const secret = process.env.LAB_SECRET;
const manager = require("asterisk-manager");
const ami = new manager(Number(process.env.LAB_PBX_PORT), "127.0.0.1", process.env.LAB_PBX_USER, secret, true);
ami.keepConnected();

module.exports = {
    flowFile: "flows.json",
    credentialSecret: false,
    uiHost: "127.0.0.1",
    uiPort: Number(process.env.LAB_UI_PORT),
    httpAdminRoot: false,
    telemetry: { enabled: false },
    functionGlobalContext: { ami, channels: JSON.parse(process.env.LAB_CHANNELS) },
    logging: { console: { level: "info", metrics: false, audit: false } },
};
