"""azure-servicebus (7.8.2 with uamqp, as Debian has it) over TLS and WebSocket."""
import unittest
from datetime import datetime, timedelta, timezone

from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusClient, ServiceBusMessage, ServiceBusReceiveMode, ServiceBusSubQueue
from azure.servicebus.exceptions import MessageLockLostError, ServiceBusAuthenticationError, ServiceBusError
from azure.servicebus.management import ServiceBusAdministrationClient

import relay

# It connects to port 5671, whatever the connection string says.
CREDENTIALS = f"Endpoint=sb://{relay.tls.host};SharedAccessKeyName={relay.tls.key_name};SharedAccessKey={relay.tls.key}"


class ServiceBus(unittest.TestCase):
    transport = {}

    @classmethod
    def setUpClass(cls):
        cls.admin = ServiceBusAdministrationClient.from_connection_string(relay.ready["relay"]["amqps"])

    def setUp(self):
        self.client = ServiceBusClient.from_connection_string(
            CREDENTIALS, connection_verify=relay.CA, retry_total=0, **self.transport)
        self.addCleanup(self.client.close)

    def queue(self, **options):
        name = relay.fresh("queue")
        self.admin.create_queue(name, **options)
        return name

    def send(self, queue, *messages):
        with self.client.get_queue_sender(queue) as sender:
            sender.send_messages(list(messages))

    def test_a_message_is_sent_received_and_completed(self):
        queue = self.queue()
        self.send(queue, ServiceBusMessage(
            b"hello", message_id="id", subject="subject", correlation_id="correlation", content_type="text/plain", to="to", reply_to="reply",
            time_to_live=timedelta(minutes=1), application_properties={"text": "a", "number": 1, "truth": True, "half": 0.5}))
        with self.client.get_queue_receiver(queue) as receiver:
            [message] = receiver.receive_messages(max_message_count=1, max_wait_time=10)
            self.assertEqual(b"".join(message.body), b"hello")
            self.assertEqual((message.message_id, message.subject, message.correlation_id), ("id", "subject", "correlation"))
            self.assertEqual((message.content_type, message.to, message.reply_to), ("text/plain", "to", "reply"))
            self.assertEqual(message.time_to_live, timedelta(minutes=1))
            self.assertEqual(message.delivery_count, 0)
            self.assertEqual(message.application_properties, {b"text": b"a", b"number": 1, b"truth": True, b"half": 0.5})
            self.assertGreater(message.locked_until_utc, datetime.now(timezone.utc))
            receiver.complete_message(message)
            self.assertEqual(receiver.peek_messages(), [])

    def test_a_batch_arrives_in_order(self):
        queue = self.queue()
        with self.client.get_queue_sender(queue) as sender:
            batch = sender.create_message_batch()
            for i in range(50):
                batch.add_message(ServiceBusMessage(str(i)))
            sender.send_messages(batch)
        with self.client.get_queue_receiver(queue, receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE) as receiver:
            got = []
            while len(got) < 50:
                got += [str(m) for m in receiver.receive_messages(max_message_count=50, max_wait_time=10)]
        self.assertEqual(got, [str(i) for i in range(50)])

    def test_peek_abandon_defer_and_dead_letter(self):
        queue = self.queue()
        self.send(queue, ServiceBusMessage("one"))
        with self.client.get_queue_receiver(queue) as receiver:
            [peeked] = receiver.peek_messages()
            self.assertEqual(str(peeked), "one")
            [first] = receiver.receive_messages(max_wait_time=10)
            self.assertEqual(first.sequence_number, peeked.sequence_number)
            receiver.abandon_message(first)
            [second] = receiver.receive_messages(max_wait_time=10)
            self.assertEqual(second.delivery_count, 1)
            receiver.defer_message(second)
            [deferred] = receiver.receive_deferred_messages([first.sequence_number])
            receiver.dead_letter_message(deferred, reason="reason", error_description="description")
        with self.client.get_queue_receiver(queue, sub_queue=ServiceBusSubQueue.DEAD_LETTER) as letters:
            [dead] = letters.receive_messages(max_wait_time=10)
            self.assertEqual((dead.dead_letter_reason, dead.dead_letter_error_description), ("reason", "description"))
            letters.complete_message(dead)

    def test_locks_are_renewed_and_lost(self):
        queue = self.queue()
        self.send(queue, ServiceBusMessage("locked"))
        with self.client.get_queue_receiver(queue) as receiver:
            [message] = receiver.receive_messages(max_wait_time=10)
            before = message.locked_until_utc
            self.assertGreaterEqual(receiver.renew_message_lock(message), before)
            receiver.complete_message(message)
        with self.client.get_queue_receiver(queue) as receiver:
            message._settled = False
            message._receiver = receiver
            with self.assertRaises(MessageLockLostError):
                receiver.renew_message_lock(message)

    def test_messages_are_scheduled_and_cancelled(self):
        queue = self.queue()
        later = datetime.now(timezone.utc) + timedelta(hours=1)
        with self.client.get_queue_sender(queue) as sender:
            kept, cancelled = sender.schedule_messages([ServiceBusMessage("kept"), ServiceBusMessage("cancelled")], later)
            sender.cancel_scheduled_messages(cancelled)
        with self.client.get_queue_receiver(queue) as receiver:
            self.assertEqual([(str(m), m.sequence_number) for m in receiver.peek_messages(10)], [("kept", kept)])

    def test_sessions(self):
        queue = self.queue(requires_session=True)
        self.send(queue, *[ServiceBusMessage(str(i), session_id="a") for i in range(3)])
        with self.client.get_queue_receiver(queue, session_id="a") as receiver:
            got = []
            while len(got) < 3:
                for message in receiver.receive_messages(max_message_count=3, max_wait_time=10):
                    self.assertEqual(message.session_id, "a")
                    got.append(str(message))
                    receiver.complete_message(message)
            self.assertEqual(got, ["0", "1", "2"])
            self.assertIsNone(receiver.session.get_state())
            receiver.session.set_state(b"state")
            self.assertEqual(receiver.session.get_state(), b"state")
            self.assertGreater(receiver.session.renew_lock(), datetime.now(timezone.utc))
        self.send(queue, ServiceBusMessage("next", session_id="b"))
        with self.client.get_queue_receiver(queue, session_id=NEXT_AVAILABLE_SESSION) as receiver:
            self.assertEqual(receiver.session.session_id, "b")

    def test_a_subscription(self):
        topic = relay.fresh("topic")
        self.admin.create_topic(topic)
        self.admin.create_subscription(topic, "sub")
        with self.client.get_topic_sender(topic) as sender:
            sender.send_messages(ServiceBusMessage("news"))
        with self.client.get_subscription_receiver(topic, "sub") as receiver:
            [message] = receiver.receive_messages(max_wait_time=10)
            self.assertEqual(str(message), "news")
            receiver.complete_message(message)
        self.assertEqual(self.admin.get_subscription_runtime_properties(topic, "sub").total_message_count, 0)

    def test_what_is_missing_is_said(self):
        with self.assertRaises(ServiceBusAuthenticationError):  # which is what it makes of any token that is refused
            self.send("missing", ServiceBusMessage(""))
        with self.assertRaisesRegex(ServiceBusError, "requires sessions"):
            with self.client.get_queue_receiver(self.queue(requires_session=True)) as receiver:
                receiver.receive_messages(max_wait_time=1)


class ServiceBusOverWebSocket(ServiceBus):
    # An endpoint of one's own means WebSocket, at any port; without one it is port 443.
    transport = {"custom_endpoint_address": f"https://{relay.tls.host}:{relay.tls.port}"}


if __name__ == "__main__":
    unittest.main()
