// A broker on rhea: queues in memory, made when they are named, each message to one receiver, in turn.
const rhea = require('rhea');

const queues = new Map(); // by address

class Queue {
	constructor() {
		this.messages = [];
		this.head = 0;
		this.receivers = [];
	}

	add(message) {
		this.messages.push(message);
		this.dispatch();
	}

	dispatch() {
		while (this.head < this.messages.length) {
			const receiver = this.receivers.find((r) => r.sendable());
			if (!receiver) return;
			receiver.send(this.messages[this.head]);
			this.messages[this.head++] = undefined;
			if (this.head === this.messages.length || this.head > 10000) {
				this.messages.splice(0, this.head);
				this.head = 0;
			}
			this.receivers.push(this.receivers.splice(this.receivers.indexOf(receiver), 1)[0]);
		}
	}
}

function queue(address) {
	if (!queues.has(address)) queues.set(address, new Queue());
	return queues.get(address);
}

const container = rhea.create_container();
container.sasl_server_mechanisms.enable_anonymous();
container.on('sender_open', ({ sender }) => {
	sender.set_source(sender.remote.attach.source);
	sender.local.attach.snd_settle_mode = sender.remote.attach.snd_settle_mode;
	queue(sender.source.address).receivers.push(sender);
});
container.on('receiver_open', ({ receiver }) => {
	receiver.set_target(receiver.remote.attach.target);
	receiver.local.attach.snd_settle_mode = receiver.remote.attach.snd_settle_mode;
});
container.on('sendable', ({ sender }) => queue(sender.source.address).dispatch());
container.on('message', ({ receiver, message }) => queue(receiver.target.address).add(message));
for (const end of ['connection_close', 'disconnected']) {
	container.on(end, ({ connection }) => {
		for (const q of queues.values()) q.receivers = q.receivers.filter((r) => r.connection !== connection);
	});
}
container.on('error', (e) => console.error(e));

const server = container.listen({ port: Number(process.argv[2]), host: '127.0.0.1' });
server.on('connection', (socket) => socket.setNoDelay(true));
