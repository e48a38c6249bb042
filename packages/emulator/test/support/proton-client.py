"""A device written with qpid-proton, an AMQP engine of its own: prints what it saw as JSON."""

import json
import sys

from proton import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container

URL, TOKEN, SASL = sys.argv[1], sys.argv[2], sys.argv[3] == "sasl"
TELEMETRY = "/devices/device1/messages/events"


class Device(MessagingHandler):
    def __init__(self):
        super().__init__(auto_accept=False, prefetch=10)
        self.seen = []
        self.step = 0

    def on_start(self, event):
        options = {"allowed_mechs": "ANONYMOUS"} if SASL else {}
        self.connection = event.container.connect(URL, sasl_enabled=SASL, reconnect=False, **options)
        # proton gives both links the same name.
        self.put = event.container.create_sender(self.connection, "$cbs")
        self.answers = event.container.create_receiver(self.connection, "$cbs")

    def on_sendable(self, event):
        if event.sender == self.put and self.step == 0:
            self.step = 1
            properties = {"operation": "put-token", "type": "servicebus.windows.net:sastoken", "name": "device1"}
            self.put.send(Message(id="1", reply_to="cbs", properties=properties, body=TOKEN))
        elif self.step == 2 and event.sender.target.address == TELEMETRY:
            self.step = 3
            event.sender.send(Message(id="p1", properties={"k": "v"}, body=b"hello"))
            event.sender.send(Message(id="p2", body="x" * 300000))

    def on_message(self, event):
        message = event.message
        self.accept(event.delivery)
        if event.receiver == self.answers:
            self.seen.append(["cbs", message.properties["status-code"]])
            self.step = 2
            event.container.create_sender(self.connection, TELEMETRY)
            event.container.create_receiver(self.connection, "/devices/device1/messages/devicebound")
        else:
            self.seen.append(["message", message.id, message.properties, bytes(message.body).decode()])
            event.container.create_sender(self.connection, "/nonsense")

    def on_accepted(self, event):
        self.seen.append(["accepted", event.link.target.address])

    def on_rejected(self, event):
        self.seen.append(["rejected", event.delivery.remote.condition.name])

    def on_link_error(self, event):
        self.seen.append(["link", event.link.remote_condition.name])
        self.connection.close()

    def on_connection_error(self, event):
        self.seen.append(["connection", event.connection.remote_condition.name])

    def on_transport_error(self, event):
        self.seen.append(["transport", str(event.transport.condition)])


device = Device()
Container(device).run()
print(json.dumps(device.seen, default=str))
