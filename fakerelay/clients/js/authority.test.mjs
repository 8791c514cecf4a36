// @azure/service-bus: tokens of the identity endpoint, keys of an entity, and refusals.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ServiceBusAdministrationClient, ServiceBusClient, parseServiceBusConnectionString} from '@azure/service-bus';
import {administration, fresh, freshQueue, relay} from './relay.mjs';

const {fullyQualifiedNamespace: host} = parseServiceBusConnectionString(relay.amqps);
const once = {retryOptions: {maxRetries: 0}};

// What ManagedIdentityCredential does with IDENTITY_ENDPOINT and IDENTITY_HEADER.
const identity = {
  async getToken(scope) {
    const url = `${relay.identity}?api-version=2019-08-01&resource=${encodeURIComponent([scope].flat()[0])}`;
    const {access_token: token, expires_on: seconds} = await (await fetch(url, {headers: {'X-IDENTITY-HEADER': 'any'}})).json();
    return {token, expiresOnTimestamp: seconds * 1000};
  },
};

test('a token of the identity endpoint is taken', async t => {
  const queue = await freshQueue();
  const client = new ServiceBusClient(host, identity, once);
  t.after(() => client.close());
  await client.createSender(queue).sendMessages({body: 'by identity'});
  const [peeked] = await client.createReceiver(queue).peekMessages(1);
  assert.equal(peeked.body, 'by identity');
  assert.ok(await new ServiceBusAdministrationClient(host, identity).queueExists(queue));
});

test("an entity's own key gives its rights on that entity only", async t => {
  const queue = fresh('queue');
  const other = await freshQueue();
  await administration.createQueue(queue, {authorizationRules: [{claimType: 'SharedAccessKey', keyName: 'sender', accessRights: ['Send'], primaryKey: 'cHJpbWFyeQ==', secondaryKey: 'c2Vjb25kYXJ5'}]});
  for (const secret of ['cHJpbWFyeQ==', 'c2Vjb25kYXJ5']) {
    const client = new ServiceBusClient(`Endpoint=sb://${host};SharedAccessKeyName=sender;SharedAccessKey=${secret}`, once);
    t.after(() => client.close());
    await client.createSender(queue).sendMessages({body: 1});
    await assert.rejects(client.createReceiver(queue).receiveMessages(1), e => e.code === 'UnauthorizedAccess' && /'Listen' claim\(s\) are required/.test(e.message));
    await assert.rejects(client.createSender(other).sendMessages({body: 1}), {code: 'UnauthorizedAccess'});
  }
});

test('a wrong key is refused', async t => {
  const client = new ServiceBusClient(`Endpoint=sb://${host};SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=wrong`, once);
  t.after(() => client.close());
  await assert.rejects(client.createSender(await freshQueue()).sendMessages({body: 1}), e => e.code === 'UnauthorizedAccess' && /InvalidSignature/.test(e.message));
});
