// The relay under test, as its ready file tells of it, and the stock clients on each of its transports.
import {readFileSync} from 'node:fs';
import {randomUUID} from 'node:crypto';
import {ServiceBusAdministrationClient, ServiceBusClient} from '@azure/service-bus';
import WebSocket from 'ws';

export const {relay} = JSON.parse(readFileSync(process.env.PASSBACK_READY_FILE, 'utf8'));

// A client that retries would hide what this is about.
const retryOptions = {maxRetries: 0, timeoutInMs: 30_000};

export const transports = {
  plain: () => new ServiceBusClient(relay.amqp, {retryOptions}),
  TLS: () => new ServiceBusClient(relay.amqps, {retryOptions}),
  WebSocket: () => new ServiceBusClient(relay.amqps, {retryOptions, webSocketOptions: {webSocket: WebSocket}}),
};

export const administration = new ServiceBusAdministrationClient(relay.amqps);

// Names that no other test uses, so that a relay may be used twice.
export const fresh = what => `${what}-${randomUUID().slice(0, 8)}`;

// within gives a test a client that ends with it.
export function within(t, transport = transports.TLS) {
  const client = transport();
  t.after(() => client.close());
  return client;
}

export async function freshQueue(options = {}) {
  const name = fresh('queue');
  await administration.createQueue(name, options);
  return name;
}
