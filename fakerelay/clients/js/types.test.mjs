// rhea as a bare AMQP peer: every type that it can encode comes back as the same type and value, through the relay's own
// codec: message annotations, properties and bodies are decoded there when a message is sent, and encoded when delivered.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import rhea from 'rhea';
import {parseServiceBusConnectionString} from '@azure/service-bus';
import {freshQueue, relay} from './relay.mjs';

const {types, message} = rhea;
const key = parseServiceBusConnectionString(relay.amqp);
const [host, port] = key.endpoint.replace(/^sb:\/\/|\/$/g, '').split(':');

const values = {
  'null': null,
  'true': types.wrap_boolean(true), 'false': types.wrap_boolean(false),
  'ubyte': types.wrap_ubyte(255), 'ushort': types.wrap_ushort(65535),
  'uint0': types.wrap_uint(0), 'smalluint': types.wrap_uint(255), 'uint': types.wrap_uint(4294967295),
  'ulong0': types.wrap_ulong(0), 'smallulong': types.wrap_ulong(255), 'ulong': types.wrap_ulong(2 ** 53),
  'byte': types.wrap_byte(-128), 'short': types.wrap_short(-32768), 'smallint': types.wrap_int(-128), 'int': types.wrap_int(-2147483648),
  'smalllong': types.wrap_long(-128), 'long': types.wrap_long(-(2 ** 53)),
  'float': types.wrap_float(0.5), 'double': types.wrap_double(-1.0e300),
  'char': types.wrap(0x1F600, 0x73),
  'decimal32': types.wrap(Buffer.from('22500001', 'hex'), 0x74),
  'decimal64': types.wrap(Buffer.from('2238000000000001', 'hex'), 0x84),
  'decimal128': types.wrap(Buffer.from('22080000000000000000000000000001', 'hex'), 0x94),
  'timestamp': types.wrap_timestamp(-1), 'uuid': types.wrap_uuid(Buffer.from('00112233445566778899aabbccddeeff', 'hex')),
  'vbin8': types.wrap_binary(Buffer.from([0, 255])), 'vbin32': types.wrap_binary(Buffer.alloc(70_000, 7)),
  'str8': types.wrap_string('Grüße 😀'), 'str32': types.wrap_string('ü'.repeat(300)),
  'sym8': types.wrap_symbol('symbol'), 'sym32': types.wrap_symbol('s'.repeat(300)),
  'list0': types.wrap_list([]), 'list': types.wrap_list([1, 'two', types.wrap_list([null, true])]),
  'list32': types.wrap_list([...Array(300)].map((_, i) => types.wrap_int(i * 1000))),
  'map': types.wrap_map({a: 1, nested: types.wrap_map({b: types.wrap_symbol('c'), deeper: types.wrap_map({})})}),
  'array of int': types.wrap_array([1, 2, 3], 0x71), 'array of str32': types.wrap_array(['a', 'b'.repeat(300)], 0xb1),
  'array of none': types.wrap_array([], 0x71),
  'described': types.wrap_described(types.wrap_string('inner'), types.wrap_symbol('example:described')),
  'described by number': types.wrap_described(types.wrap_list([1, 2]), types.wrap_ulong(0x0000_1234)),
  'array of described': types.wrap_array([1, 2], 0x71, types.wrap_symbol('example:each')),
};

// rhea's decoded message does not tell the types of its values, so the encoded one is kept as it passes by.
let encoded;
const decode = message.decode;
message.decode = bytes => decode(encoded = bytes);

// exchange sends a message by one link and gives what another receives, encoded.
function exchange(queue, sent) {
  return new Promise((resolve, reject) => {
    const container = rhea.create_container();
    const connection = container.connect({
      host, port, username: key.sharedAccessKeyName, password: key.sharedAccessKey, reconnect: false, idle_time_out: 20_000,
    });
    for (const event of ['connection_error', 'receiver_error', 'sender_error', 'rejected', 'disconnected', 'protocol_error']) {
      container.on(event, context => reject(context.error ?? context.receiver?.error ?? context.sender?.error ?? new Error(event)));
    }
    container.once('sendable', ({sender}) => sender.send(sent));
    container.once('message', () => {
      resolve(encoded);
      connection.close();
    });
    connection.open_sender(queue);
    connection.open_receiver(queue);
  });
}

// sections reads a message as its sections, each value with its type.
function sections(bytes) {
  const all = {};
  for (const reader = new types.Reader(bytes); reader.remaining();) {
    const section = reader.read();
    all[{0x72: 'annotations', 0x74: 'properties', 0x77: 'body'}[section.descriptor.value]] = section;
  }
  return all;
}

// told describes a value by its type and content: rhea's encodings of one type (smallulong, ulong0) are that type.
const sameType = {SmallUint: 'Uint', Uint0: 'Uint', SmallUlong: 'Ulong', Ulong0: 'Ulong', SmallInt: 'Int', SmallLong: 'Long',
  True: 'Boolean', False: 'Boolean', Vbin8: 'Vbin', Vbin32: 'Vbin', Str8: 'Str', Str32: 'Str', Sym8: 'Sym', Sym32: 'Sym',
  List0: 'List', List8: 'List', List32: 'List', Map8: 'Map', Map32: 'Map', Array8: 'Array', Array32: 'Array'};
function told(v) {
  if (Array.isArray(v)) return v.map(told);
  if (Buffer.isBuffer(v)) return v.toString('hex');
  if (!v?.type) return v;
  const name = v.type.name;
  return {type: sameType[name] ?? name, descriptor: told(v.descriptor), of: told(v.array_constructor?.descriptor), value: told(v.value)};
}

test('every type comes back as it was', async t => {
  const queue = await freshQueue();
  for (const [name, value] of Object.entries(values)) {
    await t.test(name, async () => {
      const sent = {message_annotations: {'x-test': value}, application_properties: {value}, body: value};
      const got = sections(await exchange(queue, sent));
      const want = sections(message.encode(sent));
      const annotation = s => s.annotations.value.slice(s.annotations.value.findIndex(v => v.value === 'x-test')).slice(0, 2);
      assert.deepEqual(told(annotation(got)), told(annotation(want)));
      assert.deepEqual(told(got.properties), told(want.properties));
      assert.deepEqual(told(got.body), told(want.body));
    });
  }
});
