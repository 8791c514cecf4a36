"""Qpid Proton as a bare AMQP peer, by SASL PLAIN over plain TCP: links, settlement, filters, and every type of AMQP."""
import unittest
from uuid import UUID

from proton import (UNDESCRIBED, Array, Data, Described, Message, byte, char, decimal32, decimal64, decimal128, float32, int32, short, symbol, timestamp, ubyte,
                    uint, ulong, ushort)
from proton.reactor import AtMostOnce
from proton.utils import BlockingConnection, LinkDetached

import relay

QUEUE = "queue.1"

# The relay decodes annotations when a message is sent, and encodes them when it is delivered: each value must come back as its type.
VALUES = {
    "null": None, "true": True, "false": False,
    "ubyte": ubyte(255), "ushort": ushort(65535), "uint0": uint(0), "smalluint": uint(255), "uint": uint(2**32 - 1),
    "ulong0": ulong(0), "smallulong": ulong(255), "ulong": ulong(2**64 - 1),
    "byte": byte(-128), "short": short(-32768), "smallint": int32(-128), "int": int32(-2**31), "smalllong": -128, "long": -2**63,
    "float": float32(0.5), "double": -1.0e300, "char": char("\U0001F600"),
    "decimal32": decimal32(0x22500001), "decimal64": decimal64(0x2238000000000001), "decimal128": decimal128(bytes.fromhex("2208" + "00" * 13 + "01")),
    "timestamp": timestamp(-1), "uuid": UUID("00112233-4455-6677-8899-aabbccddeeff"),
    "vbin8": b"\x00\xff", "vbin32": b"\x07" * 70_000, "str8": "Grüße \U0001F600", "str32": "ü" * 300,
    "sym8": symbol("symbol"), "sym32": symbol("s" * 300),
    "list0": [], "list": [int32(1), "two", [None, True]], "list32": [int32(i * 1000) for i in range(300)],
    "map": {"a": int32(1), "nested": {"b": symbol("c"), "deeper": {}}}, "map of numbers": {int32(1): "one", ulong(2): "two"},
    "array of int": Array(UNDESCRIBED, Data.INT, int32(1), int32(2)), "array of str32": Array(UNDESCRIBED, Data.STRING, "a", "b" * 300),
    "array of described": Array(symbol("example:each"), Data.INT, int32(1), int32(2)),
    "described": Described(symbol("example:described"), "inner"), "described by number": Described(ulong(0x1234), [int32(1), int32(2)]),
}


def told(v):
    """A value and its type, all the way down."""
    if isinstance(v, Described):
        return "described", told(v.descriptor), told(v.value)
    if isinstance(v, Array):
        return "array", told(v.descriptor), v.type, [told(e) for e in v.elements]
    if isinstance(v, dict):
        return "map", sorted((repr(told(k)), told(e)) for k, e in v.items())
    if isinstance(v, (list, tuple)):
        return "list", [told(e) for e in v]
    return type(v).__name__, v


class Proton(unittest.TestCase):
    def setUp(self):
        self.connection = BlockingConnection(
            f"amqp://{relay.plain.host}:{relay.plain.port}", user=relay.plain.key_name, password=relay.plain.key, allowed_mechs="PLAIN", timeout=20)
        self.addCleanup(self.connection.close)

    def send(self, message):
        sender = self.connection.create_sender(QUEUE)
        sender.send(message)
        sender.close()

    def exchange(self, message):
        self.send(message)
        receiver = self.connection.create_receiver(QUEUE, credit=1)
        got = receiver.receive()
        receiver.accept()
        receiver.close()
        return got

    def test_a_message_is_sent_received_and_accepted(self):
        got = self.exchange(Message(
            id="id", subject="subject", correlation_id=ulong(7), reply_to="reply", content_type="text/plain", group_id="group", body="hello",
            properties={"text": "a", "number": int32(1)}))
        self.assertEqual((got.id, got.subject, got.correlation_id, got.reply_to), ("id", "subject", 7, "reply"))
        self.assertEqual((got.content_type, got.group_id, got.body), ("text/plain", "group", "hello"))
        self.assertEqual(told(got.properties), told({"text": "a", "number": int32(1)}))
        self.assertIn(symbol("x-opt-sequence-number"), got.annotations)
        self.assertEqual(got.delivery_count, 0)

    def test_what_is_released_or_modified_comes_again(self):
        self.send(Message(body="again"))
        receiver = self.connection.create_receiver(QUEUE, credit=1)
        for release in [lambda: receiver.release(delivered=False), lambda: receiver.release(delivered=True), receiver.accept]:
            self.assertEqual(receiver.receive().body, "again")
            release()
            receiver.flow(1)
        receiver.close()

    def test_at_most_once(self):
        self.send(Message(body="once"))
        receiver = self.connection.create_receiver(QUEUE, credit=1, options=AtMostOnce())
        self.assertEqual(receiver.receive().body, "once")
        receiver.close()

    def test_every_type_comes_back_as_it_was(self):
        for name, value in VALUES.items():
            with self.subTest(name):
                got = self.exchange(Message(id=name, annotations={symbol("x-test"): value}, properties={"value": value}, body=value))
                self.assertEqual(told(got.annotations[symbol("x-test")]), told(value))
                self.assertEqual(told(got.properties["value"]), told(value))
                self.assertEqual(told(got.body), told(value))

    def test_what_is_missing_is_said(self):
        with self.assertRaisesRegex(LinkDetached, "amqp:not-found"):
            self.connection.create_sender("missing")


if __name__ == "__main__":
    unittest.main()
