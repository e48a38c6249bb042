"""A peer built on qpid-proton, an AMQP engine of its own: does what the address of each link says.

usage: proton_peer.py PORT
"""

import sys

from proton import Condition, Delivery, Handler, Message, symbol
from proton.handlers import MessagingHandler
from proton.reactor import Container


class Close(Handler):
    """Closes an end that has just been opened: an OPEN or ATTACH comes first, as the protocol wants it."""

    def __init__(self, end, condition, description):
        super().__init__()
        self.end = end
        self.condition = Condition(condition, description)

    def on_timer_task(self, event):
        self.end.condition = self.condition
        self.end.close()


class Peer(MessagingHandler):
    def __init__(self, port):
        super().__init__(prefetch=100, auto_accept=False, auto_settle=False)
        self.port = port
        self.held = []
        self.seen = {}

    def on_start(self, event):
        self.acceptor = event.container.listen("127.0.0.1:%s" % self.port)
        print("listening", flush=True)

    def on_connection_bound(self, event):
        # Told to the client, which then must let itself be heard.
        event.transport.idle_timeout = 1.0

    def on_connection_opening(self, event):
        if event.connection.remote_hostname == "refused":
            event.reactor.schedule(0, Close(event.connection, "amqp:unauthorized-access", "no such device"))

    def on_link_opening(self, event):
        link = event.link
        link.source.address = link.remote_source.address
        link.target.address = link.remote_target.address
        address = link.target.address if link.is_receiver else link.source.address
        if address == "refuse":
            link.target.address = None
            event.reactor.schedule(0, Close(link, "amqp:not-found", "no node 'refuse'"))
        if address == "moved":
            self.seen[address] = self.seen.get(address, 0) + 1
            if self.seen[address] == 1:
                event.reactor.schedule(0, Close(link, "amqp:link:detach-forced", "moved"))
        if link.is_sender and address == "$cbs":
            self.answers = link

    def on_sendable(self, event):
        if event.link.source.address == "moved" and self.seen["moved"] == 2:
            self.seen["moved"] += 1
            event.link.send(Message(body="here"))

    def on_message(self, event):
        link, delivery, message = event.link, event.delivery, event.message
        address = link.target.address or link.remote_target.address
        self.seen[address] = self.seen.get(address, 0) + 1
        getattr(self, "do_" + address.replace("$", "").replace("-", "_"), self.do_accept)(event, link, delivery, message)

    def do_accept(self, event, link, delivery, message):
        self.accept(delivery)

    def do_reject(self, event, link, delivery, message):
        delivery.local.condition = Condition(
            "amqp:link:message-size-exceeded", "too large", {symbol("com.microsoft:tracking-id"): "abc-G:1"}
        )
        self.settle(delivery, Delivery.REJECTED)

    def do_release(self, event, link, delivery, message):
        if self.seen["release"] == 1:
            self.settle(delivery, Delivery.RELEASED)
        else:
            self.accept(delivery)

    def do_modify(self, event, link, delivery, message):
        delivery.local.failed = True
        self.settle(delivery, Delivery.MODIFIED)

    def do_unsettled(self, event, link, delivery, message):
        delivery.update(Delivery.ACCEPTED)

    def do_withhold(self, event, link, delivery, message):
        self.held.append(delivery)

    def do_forced(self, event, link, delivery, message):
        if self.seen["forced"] > 1:
            return self.accept(delivery)
        event.connection.condition = Condition("amqp:connection:forced", "moved")
        event.connection.close()

    def do_detach(self, event, link, delivery, message):
        if self.seen["detach"] > 1:
            return self.accept(delivery)
        link.condition = Condition("amqp:link:detach-forced", "server busy")
        link.close()

    def do_stolen(self, event, link, delivery, message):
        link.condition = Condition("amqp:link:stolen", "by another")
        link.close()

    def do_end(self, event, link, delivery, message):
        if self.seen["end"] > 1:
            return self.accept(delivery)
        link.session.condition = Condition("amqp:session:window-violation", "full")
        link.session.close()

    def do_cbs(self, event, link, delivery, message):
        self.accept(delivery)
        status = 401 if message.body == "wrong" else 200
        self.answers.send(
            Message(correlation_id=message.id, properties={"status-code": status, "status-description": "as told"})
        )


Container(Peer(sys.argv[1])).run()
