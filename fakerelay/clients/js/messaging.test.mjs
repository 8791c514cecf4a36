// @azure/service-bus: what one does with a queue, on each transport.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {freshQueue, transports, within} from './relay.mjs';

for (const [name, transport] of Object.entries(transports)) {
  test(`a message is sent, received and completed over ${name}`, async t => {
    const client = within(t, transport);
    const queue = await freshQueue();
    await client.createSender(queue).sendMessages({
      body: {text: 'hello', list: [1, 2]}, messageId: 'id', subject: 'subject', correlationId: 'correlation', contentType: 'application/json',
      to: 'to', replyTo: 'reply', replyToSessionId: 'session', partitionKey: 'key', timeToLive: 60_000,
      applicationProperties: {text: 'a', number: 1, half: 0.5, truth: true, time: new Date(1_000_000), nothing: null},
    });
    const receiver = client.createReceiver(queue);
    const [message] = await receiver.receiveMessages(1);
    assert.deepEqual(message.body, {text: 'hello', list: [1, 2]});
    assert.equal(message.messageId, 'id');
    assert.equal(message.subject, 'subject');
    assert.equal(message.correlationId, 'correlation');
    assert.equal(message.contentType, 'application/json');
    assert.equal(message.to, 'to');
    assert.equal(message.replyTo, 'reply');
    assert.equal(message.replyToSessionId, 'session');
    assert.equal(message.partitionKey, 'key');
    assert.equal(message.timeToLive, 60_000);
    assert.equal(message.deliveryCount, 0);
    assert.equal(message.state, 'active');
    assert.equal(message.expiresAtUtc - message.enqueuedTimeUtc, 60_000);
    assert.deepEqual({...message.applicationProperties, time: +message.applicationProperties.time},
      {text: 'a', number: 1, half: 0.5, truth: true, time: 1_000_000, nothing: null});
    await receiver.completeMessage(message);
    assert.deepEqual(await receiver.peekMessages(1), []);
  });
}

test('a batch arrives as its messages, in order', async t => {
  const client = within(t);
  const queue = await freshQueue();
  const sender = client.createSender(queue);
  const batch = await sender.createMessageBatch();
  for (let i = 0; i < 200; i++) assert.ok(batch.tryAddMessage({body: i, messageId: `${i}`}));
  assert.equal(batch.tryAddMessage({body: 'x'.repeat(300_000)}), false, 'a message above 256 KiB fits a standard batch');
  await sender.sendMessages(batch);
  const receiver = client.createReceiver(queue, {receiveMode: 'receiveAndDelete'});
  const got = [];
  while (got.length < 200) got.push(...await receiver.receiveMessages(200 - got.length));
  assert.deepEqual(got.map(m => m.body), [...Array(200).keys()]);
});

test('an abandoned message comes again, with what was modified', async t => {
  const client = within(t);
  const queue = await freshQueue({maxDeliveryCount: 2});
  await client.createSender(queue).sendMessages({body: 'again'});
  const receiver = client.createReceiver(queue);
  const [first] = await receiver.receiveMessages(1);
  await receiver.abandonMessage(first, {attempt: 'first'});
  const [second] = await receiver.receiveMessages(1);
  assert.equal(second.deliveryCount, 1);
  assert.equal(second.applicationProperties.attempt, 'first');
  await receiver.abandonMessage(second);
  const [dead] = await client.createReceiver(queue, {subQueueType: 'deadLetter'}).receiveMessages(1);
  assert.equal(dead.deadLetterReason, 'MaxDeliveryCountExceeded');
});

test('a deferred message is received by its number', async t => {
  const client = within(t);
  const queue = await freshQueue();
  await client.createSender(queue).sendMessages([{body: 'one'}, {body: 'two'}]);
  const receiver = client.createReceiver(queue);
  const [one] = await receiver.receiveMessages(1);
  await receiver.deferMessage(one);
  const [two] = await receiver.receiveMessages(1);
  assert.equal(two.body, 'two');
  await receiver.completeMessage(two);
  const [peeked] = await receiver.peekMessages(1);
  assert.equal(peeked.state, 'deferred');
  const [deferred] = await receiver.receiveDeferredMessages(one.sequenceNumber);
  assert.equal(deferred.body, 'one');
  await receiver.completeMessage(deferred);
  await assert.rejects(receiver.receiveDeferredMessages(one.sequenceNumber), {code: 'MessageNotFound'});
});

test('a dead letter says why', async t => {
  const client = within(t);
  const queue = await freshQueue();
  await client.createSender(queue).sendMessages({body: 'bad'});
  const receiver = client.createReceiver(queue);
  const [message] = await receiver.receiveMessages(1);
  await receiver.deadLetterMessage(message, {deadLetterReason: 'reason', deadLetterErrorDescription: 'description', seen: true});
  const letters = client.createReceiver(queue, {subQueueType: 'deadLetter'});
  const [dead] = await letters.receiveMessages(1);
  assert.equal(dead.body, 'bad');
  assert.equal(dead.deadLetterReason, 'reason');
  assert.equal(dead.deadLetterErrorDescription, 'description');
  assert.equal(dead.applicationProperties.seen, true);
  await letters.completeMessage(dead);
});

test('scheduled messages wait, and can be cancelled', async t => {
  const client = within(t);
  const queue = await freshQueue();
  const sender = client.createSender(queue);
  const later = new Date(Date.now() + 3_600_000);
  const [kept, cancelled] = await sender.scheduleMessages([{body: 'kept'}, {body: 'cancelled'}], later);
  await sender.cancelScheduledMessages(cancelled);
  const receiver = client.createReceiver(queue);
  const peeked = await receiver.peekMessages(5);
  assert.deepEqual(peeked.map(m => [m.body, m.state, +m.scheduledEnqueueTimeUtc]), [['kept', 'scheduled', +later]]);
  assert.ok(peeked[0].sequenceNumber.equals(kept));
  await sender.sendMessages({body: 'soon', scheduledEnqueueTimeUtc: new Date(Date.now() + 50)});
  const [soon] = await receiver.receiveMessages(1);
  assert.equal(soon.body, 'soon');
  await receiver.completeMessage(soon);
});

test('a lock is renewed', async t => {
  const client = within(t);
  const queue = await freshQueue({lockDuration: 'PT5M'});
  await client.createSender(queue).sendMessages({body: 'locked'});
  const receiver = client.createReceiver(queue);
  const [message] = await receiver.receiveMessages(1);
  const before = +message.lockedUntilUtc;
  assert.ok(+await receiver.renewMessageLock(message) >= before);
  await receiver.completeMessage(message);
  await assert.rejects(receiver.renewMessageLock(message), {code: 'MessageLockLost'});
});

test('a subscriber gets what comes, and completes it by itself', async t => {
  const client = within(t);
  const queue = await freshQueue();
  const receiver = client.createReceiver(queue);
  const got = [];
  const all = new Promise((resolve, reject) => {
    receiver.subscribe({
      processMessage: async m => { if (got.push(m.body) === 20) resolve(); },
      processError: async e => reject(e.error),
    }, {maxConcurrentCalls: 4});
  });
  await client.createSender(queue).sendMessages([...Array(20).keys()].map(body => ({body})));
  await all;
  assert.deepEqual(got.sort((a, b) => a - b), [...Array(20).keys()]);
  await receiver.close();
  assert.deepEqual(await client.createReceiver(queue).peekMessages(1), []);
});

test('what does not exist, and what is not allowed, is told by its code', async t => {
  const client = within(t);
  await assert.rejects(client.createSender('missing').sendMessages({body: ''}), {code: 'MessagingEntityNotFound'});
  const queue = await freshQueue({requiresSession: true});
  await assert.rejects(client.createReceiver(queue).receiveMessages(1, {maxWaitTimeInMs: 1000}), /requires sessions/);
});
