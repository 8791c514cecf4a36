// @azure/service-bus: ServiceBusAdministrationClient against the ATOM API. Every property that is set must be read back.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {administration as admin, fresh, within} from './relay.mjs';

const keys = name => [{claimType: 'SharedAccessKey', keyName: name, accessRights: ['Listen', 'Send'], primaryKey: 'cHJpbWFyeQ==', secondaryKey: 'c2Vjb25kYXJ5'}];

async function names(pages) {
  const all = [];
  for await (const each of pages) all.push(each.name ?? each.subscriptionName);
  return all;
}

const has = (actual, expected) => assert.deepEqual(Object.fromEntries(Object.keys(expected).map(k => [k, actual[k]])), expected);

test('the namespace says what it is', async () => {
  const namespace = await admin.getNamespaceProperties();
  assert.equal(namespace.messagingSku, 'Standard');
  assert.ok(namespace.createdAt <= new Date());
});

test('a queue keeps every property', async () => {
  const name = fresh('queue');
  const target = fresh('target');
  await admin.createQueue(target);
  const properties = {
    lockDuration: 'PT45S', maxSizeInMegabytes: 2048, requiresDuplicateDetection: true, requiresSession: true, defaultMessageTimeToLive: 'P2D',
    deadLetteringOnMessageExpiration: true, duplicateDetectionHistoryTimeWindow: 'PT2M', maxDeliveryCount: 8, enableBatchedOperations: false,
    userMetadata: 'metadata <&>', autoDeleteOnIdle: 'PT1H', status: 'SendDisabled', enablePartitioning: false,
  };
  const made = await admin.createQueue(name, {...properties, authorizationRules: keys('rule'), forwardDeadLetteredMessagesTo: target});
  has(made, properties);
  const got = await admin.getQueue(name);
  has(got, properties);
  assert.match(got.forwardDeadLetteredMessagesTo, new RegExp(`/${target}$`));
  assert.equal(got.authorizationRules.length, 1);
  has(got.authorizationRules[0], keys('rule')[0]);
  Object.assign(got, {lockDuration: 'PT1M', maxDeliveryCount: 3, status: 'Active', userMetadata: 'other'});
  has(await admin.updateQueue(got), {lockDuration: 'PT1M', maxDeliveryCount: 3, status: 'Active', userMetadata: 'other'});
  assert.ok((await names(admin.listQueues())).includes(name));
  await admin.deleteQueue(name);
  assert.equal(await admin.queueExists(name), false);
});

test('a topic and a subscription keep every property', async () => {
  const topic = fresh('topic');
  const properties = {
    maxSizeInMegabytes: 1024, requiresDuplicateDetection: true, defaultMessageTimeToLive: 'P1D', duplicateDetectionHistoryTimeWindow: 'PT3M',
    enableBatchedOperations: true, userMetadata: 'm', autoDeleteOnIdle: 'PT2H', supportOrdering: true, status: 'Active',
  };
  has(await admin.createTopic(topic, {...properties, authorizationRules: keys('rule')}), properties);
  const got = await admin.getTopic(topic);
  has(got, properties);
  has(got.authorizationRules[0], keys('rule')[0]);
  has(await admin.updateTopic({...got, userMetadata: 'other'}), {userMetadata: 'other'});
  const subscribed = {
    lockDuration: 'PT30S', requiresSession: true, defaultMessageTimeToLive: 'PT3H', deadLetteringOnMessageExpiration: true,
    deadLetteringOnFilterEvaluationExceptions: false, maxDeliveryCount: 4, userMetadata: 's', autoDeleteOnIdle: 'PT5M', status: 'ReceiveDisabled',
  };
  has(await admin.createSubscription(topic, 'sub', subscribed), {...subscribed, topicName: topic, subscriptionName: 'sub'});
  const sub = await admin.getSubscription(topic, 'sub');
  has(sub, subscribed);
  has(await admin.updateSubscription({...sub, status: 'Active'}), {...subscribed, status: 'Active'});
  assert.deepEqual(await names(admin.listSubscriptions(topic)), ['sub']);
  assert.ok((await names(admin.listTopics())).includes(topic));
  await admin.deleteSubscription(topic, 'sub');
  assert.equal(await admin.subscriptionExists(topic, 'sub'), false);
  await admin.deleteTopic(topic);
  assert.equal(await admin.topicExists(topic), false);
});

test('a rule keeps its filter and its action', async () => {
  const topic = fresh('topic');
  await admin.createTopic(topic);
  await admin.createSubscription(topic, 'sub');
  has((await admin.getRule(topic, 'sub', '$Default')).filter, {sqlExpression: '1=1'});
  const sql = {sqlExpression: 'size > @least', sqlParameters: {'@least': 3}};
  await admin.createRule(topic, 'sub', 'sql', sql, {sqlExpression: 'SET a = 1'});
  const rule = await admin.getRule(topic, 'sub', 'sql');
  has(rule.filter, sql);
  assert.equal(rule.action.sqlExpression, 'SET a = 1');
  const correlation = {
    correlationId: 'c', messageId: 'm', to: 't', replyTo: 'r', subject: 's', sessionId: 'i', replyToSessionId: 'j', contentType: 'k',
    applicationProperties: {text: 'a', number: 1, half: 0.5, truth: true, time: new Date(1_000_000)},
  };
  await admin.createRule(topic, 'sub', 'correlation', correlation);
  has((await admin.getRule(topic, 'sub', 'correlation')).filter, correlation);
  await admin.updateRule(topic, 'sub', {...rule, filter: {sqlExpression: '1=0'}});
  assert.equal((await admin.getRule(topic, 'sub', 'sql')).filter.sqlExpression, '1=0');
  assert.deepEqual((await names(admin.listRules(topic, 'sub'))).sort(), ['$Default', 'correlation', 'sql']);
  await admin.deleteRule(topic, 'sub', 'sql');
  assert.equal(await admin.ruleExists(topic, 'sub', 'sql'), false);
});

test('runtime properties count', async t => {
  const client = within(t);
  const queue = fresh('queue');
  await admin.createQueue(queue);
  const sender = client.createSender(queue);
  await sender.sendMessages([{body: 1}, {body: 2}, {body: 3}]);
  await sender.scheduleMessages({body: 4}, new Date(Date.now() + 3_600_000));
  const receiver = client.createReceiver(queue);
  const [first] = await receiver.receiveMessages(1);
  await receiver.deadLetterMessage(first);
  const counts = {totalMessageCount: 4, activeMessageCount: 2, deadLetterMessageCount: 1, scheduledMessageCount: 1, transferMessageCount: 0};
  const runtime = await admin.getQueueRuntimeProperties(queue);
  has(runtime, counts);
  assert.ok(runtime.sizeInBytes > 0 && runtime.accessedAt >= runtime.createdAt);
  const topic = fresh('topic');
  await admin.createTopic(topic);
  await admin.createSubscription(topic, 'sub');
  await client.createSender(topic).sendMessages({body: 1});
  has(await admin.getSubscriptionRuntimeProperties(topic, 'sub'), {totalMessageCount: 1, activeMessageCount: 1, deadLetterMessageCount: 0});
  has(await admin.getTopicRuntimeProperties(topic), {subscriptionCount: 1, scheduledMessageCount: 0});
});

test('refusals have their codes', async () => {
  const name = fresh('queue');
  await admin.createQueue(name);
  await assert.rejects(admin.createQueue(name), {code: 'MessageEntityAlreadyExistsError', statusCode: 409});
  await assert.rejects(admin.getQueue('missing'), {code: 'MessageEntityNotFoundError'});
  await assert.rejects(admin.deleteQueue('missing'), {code: 'MessageEntityNotFoundError', statusCode: 404});
  await assert.rejects(admin.createQueue(fresh('queue'), {lockDuration: 'PT6M'}), {statusCode: 400});
});
