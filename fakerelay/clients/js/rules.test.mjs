// @azure/service-bus: topics, and rules over $management.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {administration, fresh, within} from './relay.mjs';

async function freshSubscription() {
  const topic = fresh('topic');
  await administration.createTopic(topic);
  await administration.createSubscription(topic, 'sub');
  return topic;
}

async function listed(rules) {
  const all = {};
  for await (const {name, filter, action} of rules.listRules()) all[name] = {filter, action};
  return all;
}

test('rules are made, listed and deleted', async t => {
  const rules = within(t).createRuleManager(await freshSubscription(), 'sub');
  assert.deepEqual(Object.keys(await listed(rules)), ['$Default']);
  await rules.deleteRule('$Default');
  await rules.createRule('sql', {sqlExpression: "colour = 'blue' AND size > 3"}, {sqlExpression: 'SET size = 1'});
  await rules.createRule('correlation', {subject: 'news', applicationProperties: {colour: 'red', count: 2, truth: true}});
  const all = await listed(rules);
  assert.equal(all.sql.filter.sqlExpression, "colour = 'blue' AND size > 3");
  assert.equal(all.sql.action.sqlExpression, 'SET size = 1');
  assert.equal(all.correlation.filter.subject, 'news');
  assert.equal(all.correlation.filter.applicationProperties.colour, 'red');
  await assert.rejects(rules.createRule('sql', {sqlExpression: '1=1'}), {code: 'MessagingEntityAlreadyExists'});
  await assert.rejects(rules.createRule('bad', {sqlExpression: 'colour ='}));
  await rules.deleteRule('sql');
  await assert.rejects(rules.deleteRule('sql'), {code: 'MessagingEntityNotFound'});
});

test('a subscription gets what its rules select, changed by their actions', async t => {
  const client = within(t);
  const topic = await freshSubscription();
  const rules = client.createRuleManager(topic, 'sub');
  await rules.deleteRule('$Default');
  await rules.createRule('sql', {sqlExpression: "colour = 'blue'"}, {sqlExpression: "SET sys.Label = 'was blue'; REMOVE colour"});
  await rules.createRule('correlation', {subject: 'news'});
  await client.createSender(topic).sendMessages([
    {body: 1, applicationProperties: {colour: 'blue'}}, {body: 2, applicationProperties: {colour: 'red'}}, {body: 3, subject: 'news'},
  ]);
  const receiver = client.createReceiver(topic, 'sub');
  const got = [];
  while (got.length < 2) {
    for (const m of await receiver.receiveMessages(2)) {
      got.push([m.body, m.subject, m.applicationProperties?.colour]);
      await receiver.completeMessage(m);
    }
  }
  assert.deepEqual(got, [[1, 'was blue', undefined], [3, 'news', undefined]]);
  assert.deepEqual(await receiver.peekMessages(1), []);
});
