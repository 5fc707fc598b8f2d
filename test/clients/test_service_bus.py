"""azure-servicebus looks into the local broker as into Azure's."""

import datetime
import os
import unittest
import uuid

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusReceiveMode, ServiceBusSubQueue
from azure.servicebus.exceptions import MessageSizeExceededError, MessagingEntityNotFoundError, ServiceBusError

QUEUE = "deployments"
WAIT_SECONDS = 5


class ServiceBus(unittest.TestCase):
    def setUp(self):
        self.client = ServiceBusClient.from_connection_string(os.environ["SERVICEBUS"], retry_total=0)
        self.addCleanup(self.client.close)
        self.drain()

    def drain(self):
        for sub_queue in (None, ServiceBusSubQueue.DEAD_LETTER):
            with self.client.get_queue_receiver(
                QUEUE, sub_queue=sub_queue, receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE
            ) as receiver:
                while receiver.peek_messages(1) and receiver.receive_messages(100, max_wait_time=1):
                    pass

    def send(self, *bodies):
        with self.client.get_queue_sender(QUEUE) as sender:
            sender.send_messages([ServiceBusMessage(body, message_id=str(uuid.uuid4())) for body in bodies])

    def test_messages_sent_as_a_batch_are_peeked_received_and_completed(self):
        self.send("one", "two")
        with self.client.get_queue_receiver(QUEUE, max_wait_time=WAIT_SECONDS) as receiver:
            self.assertEqual(["one", "two"], [str(message) for message in receiver.peek_messages(10)])
            received = receiver.receive_messages(10, max_wait_time=WAIT_SECONDS)
            self.assertEqual(["one", "two"], sorted(str(message) for message in received))
            for message in received:
                self.assertGreater(receiver.renew_message_lock(message), datetime.datetime.now(datetime.timezone.utc))
                receiver.complete_message(message)
            self.assertEqual([], receiver.peek_messages(10))

    def test_what_is_abandoned_comes_again_and_what_is_dead_lettered_says_why(self):
        self.send("stubborn")
        with self.client.get_queue_receiver(QUEUE, max_wait_time=WAIT_SECONDS) as receiver:
            [first] = receiver.receive_messages(1, max_wait_time=WAIT_SECONDS)
            receiver.abandon_message(first)
            [second] = receiver.receive_messages(1, max_wait_time=WAIT_SECONDS)
            self.assertEqual(1, second.delivery_count)
            receiver.dead_letter_message(second, reason="poison", error_description="cannot be read")
        with self.client.get_queue_receiver(
            QUEUE, sub_queue=ServiceBusSubQueue.DEAD_LETTER, max_wait_time=WAIT_SECONDS
        ) as receiver:
            [dead] = receiver.receive_messages(1, max_wait_time=WAIT_SECONDS)
            self.assertEqual(("poison", "cannot be read"), (dead.dead_letter_reason, dead.dead_letter_error_description))
            receiver.complete_message(dead)

    def test_a_scheduled_message_waits_and_can_be_cancelled(self):
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        with self.client.get_queue_sender(QUEUE) as sender:
            [number] = sender.schedule_messages(ServiceBusMessage("later"), later)
            sender.cancel_scheduled_messages(number)
            with self.assertRaises(ServiceBusError):
                sender.cancel_scheduled_messages(number)

    def test_a_queue_that_is_not_there_and_a_message_that_is_too_large_are_errors_with_a_reason(self):
        with self.assertRaisesRegex(MessagingEntityNotFoundError, "nowhere"):
            with self.client.get_queue_sender("nowhere") as sender:
                sender.send_messages(ServiceBusMessage("x"))
        with self.client.get_queue_sender(QUEUE) as sender:
            with self.assertRaisesRegex(MessageSizeExceededError, "256 KB"):
                sender.send_messages(ServiceBusMessage("x" * 300_000))


if __name__ == "__main__":
    unittest.main()
