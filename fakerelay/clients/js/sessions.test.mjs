// @azure/service-bus: sessions.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {freshQueue, transports, within} from './relay.mjs';

const sessions = {requiresSession: true};

for (const [name, transport] of Object.entries(transports)) {
  test(`a session keeps its order and its state over ${name}`, async t => {
    const client = within(t, transport);
    const queue = await freshQueue(sessions);
    await client.createSender(queue).sendMessages([1, 2, 3].map(body => ({body, sessionId: 'a'})));
    const session = await client.acceptSession(queue, 'a');
    assert.equal(session.sessionId, 'a');
    assert.ok(session.sessionLockedUntilUtc > new Date());
    const got = [];
    while (got.length < 3) {
      for (const m of await session.receiveMessages(3)) {
        got.push(m.body);
        await session.completeMessage(m);
      }
    }
    assert.deepEqual(got, [1, 2, 3]);
    assert.equal(await session.getSessionState(), null);
    await session.setSessionState('half way');
    assert.equal(`${await session.getSessionState()}`, 'half way');
    await session.setSessionState(null);
    assert.equal(await session.getSessionState(), null);
    await session.close();
  });
}

test('the next free session is given, and none waits in vain', async t => {
  const client = within(t);
  const queue = await freshQueue(sessions);
  await client.createSender(queue).sendMessages({body: 'x', sessionId: 'only'});
  const session = await client.acceptNextSession(queue);
  assert.equal(session.sessionId, 'only');
  const locked = +session.sessionLockedUntilUtc;
  assert.ok(+await session.renewSessionLock() >= locked);
  await assert.rejects(client.acceptSession(queue, 'only'), {code: 'SessionCannotBeLocked'});
  await session.close();
  const again = await client.acceptSession(queue, 'only');
  const [peeked] = await again.peekMessages(1);
  assert.equal(peeked.sessionId, 'only');
});

test('messages of a session are deferred and scheduled', async t => {
  const client = within(t);
  const queue = await freshQueue(sessions);
  const sender = client.createSender(queue);
  await sender.sendMessages({body: 'now', sessionId: 's'});
  await sender.scheduleMessages({body: 'later', sessionId: 's'}, new Date(Date.now() + 3_600_000));
  const session = await client.acceptSession(queue, 's');
  const [now] = await session.receiveMessages(1);
  await session.deferMessage(now);
  assert.deepEqual((await session.peekMessages(5)).map(m => m.state).sort(), ['deferred', 'scheduled']);
  const [deferred] = await session.receiveDeferredMessages(now.sequenceNumber);
  await session.deadLetterMessage(deferred, {deadLetterReason: 'enough'});
});
