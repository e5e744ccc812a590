"""Sinks: the places to which alerts are sent. The only part of watch that opens sockets and files.

    alert --message_of--> message --Outbox.put--> (stored) --Outbox.work--> Sink.send

Rules
1. `send` returns when the message was handed over, or raises `UnreachableError`; nothing else. Each step
   waits `SECONDS` at most, so that one dead sink holds the others up for seconds only.
2. A message may come twice (after a crash, or where an answer was lost), always with the same id. It is never lost
   while the outbox is kept.
3. No name, key or ordinal leaves: a message is made from the view from outside (`View.outside`). No secret is in a repr
   or error, nor is the path of an address, which is often a secret itself.
"""

from muniment.watch.sinks.file import FileSink
from muniment.watch.sinks.mail import MailSink
from muniment.watch.sinks.message import Message, message_of, trial_message
from muniment.watch.sinks.outbox import Outbox, SinkFault
from muniment.watch.sinks.sink import SECONDS, PartlyTakenError, Sink
from muniment.watch.sinks.stream import StreamSink
from muniment.watch.sinks.syslog import SyslogSink
from muniment.watch.sinks.webhook import WebhookSink

__all__ = [
    "SECONDS",
    "FileSink",
    "MailSink",
    "Message",
    "Outbox",
    "PartlyTakenError",
    "Sink",
    "SinkFault",
    "StreamSink",
    "SyslogSink",
    "WebhookSink",
    "message_of",
    "trial_message",
]
