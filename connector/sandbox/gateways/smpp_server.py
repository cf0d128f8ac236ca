"""Which SMPP gateway can the connector be tried against, and how does it misbehave?

A pretend SMSC on the loopback interface. What goes wrong next is armed with `arm`; receipts and texts from phones are
delivered when they are asked for, or, with `automatic`, a receipt after every text.

Faults of a submit:

- `pass`: none, so that a later submit meets the next one.
- `unbind`: it is taken and answered, and the SMSC unbinds.
- `drop_before`: the link breaks before the submit is taken.
- `drop_after`: it is taken, and the link breaks instead of an answer.
- `silent`: it is taken, and no answer ever comes.
- `hold`: it is taken, and the answer comes when `release` is called.
- `refuse`: it is refused with `status`, such as 0x58 for throttling.
- `garble`: it is taken, and the answer has a body that nobody can read.
- `nack`: a generic_nack with `status` answers it.
"""

import itertools
import ssl
from collections import Counter
from collections.abc import Callable, Mapping

from connector.sandbox.gateways import smpp_wire as wire
from connector.sandbox.gateways.smpp_deliveries import receipt_body, shown_texts, text_bodies
from connector.sandbox.gateways.smpp_link import Connection, Listener, SubmitFaults
from connector.sandbox.gateways.smpp_wire import Message

SYSTEM_ID, PASSWORD = "acme", "s3cret"
ANSWERS_WITHIN = 10.0  # seconds the SMSC waits for the answer to a deliver_sm


class SMPPServer(Listener):
    """A pretend SMSC. Thread-safe.

    Attributes:
        messages: the submits it took, in order; each part of a long text is one.
        bind_status: not 0: every bind is refused with it; None: not even answered.
        is_deaf: enquire_link is not answered.
        automatic: empty, or the form of the receipt that follows each text at once: `tlv`, `text`, `both`.
        calls: how often each command came, by its name.
    """

    def __init__(
        self,
        system_id: str = SYSTEM_ID,
        password: str = PASSWORD,
        *,
        automatic: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(tls)
        self.messages: list[Message] = []
        self.bind_status: int | None = 0
        self.is_deaf = False
        self.automatic = automatic
        self.calls: Counter[str] = Counter()
        self._system_id, self._password = system_id, password
        self._ids = itertools.count(0x3A7F0001)
        self._sequences = itertools.count(1)
        self._faults = SubmitFaults()
        self._answers: dict[int, int] = {}
        self._held: list[Callable[[], None]] = []

    @property
    def bound(self) -> int:
        """How many binds it has."""
        return sum(connection.is_bound for connection in self.connections)

    # -- what goes wrong

    def arm(self, kind: str, times: int = 1, status: int = 0x58) -> None:
        """Let the next submits meet a fault; see the module."""
        self._faults.arm(kind, times, status)

    def release(self) -> None:
        """Send the answers that are held back."""
        with self.changed:
            held, self._held = self._held, []
        for send in held:
            send()

    def unbind(self) -> None:
        """Ask every bind to go."""
        for connection in list(self.connections):
            connection.send(wire.UNBIND, 0, next(self._sequences))

    def say(self, octets: bytes) -> None:
        """Send octets, as they are, over every link."""
        for connection in list(self.connections):
            connection.say(octets)

    # -- what phones do

    def texts(self, number: str | None = None) -> list[str]:
        """Give what phones show, long texts put together, in the order of their first parts."""
        return shown_texts([message for message in self.messages if number in {None, message.destination}])

    def receipt(
        self, message: Message, stat: str = "DELIVRD", form: str = "both", *, error: int = 0, as_id: str | None = None
    ) -> int | None:
        """Deliver a receipt for a message; give the status of the answer, None when none comes.

        Args:
            message: the text it is about.
            stat: its word.
            form: `tlv`, `text` or `both`.
            error: the network's code.
            as_id: the id as the receipt writes it.
        """
        body = receipt_body(message, stat, form, error, message.id if as_id is None else as_id)
        return self.deliver(body)

    def reply(self, from_: str, to: str, text: str, form: str = "udh") -> list[int | None]:
        """Deliver a text that somebody wrote; give the statuses of the answers, one for each part.

        `form` says how a long text travels: `udh`, `udh16`, `sar`, or `payload` in one piece.
        """
        return [self.deliver(body) for body in text_bodies(from_, to, text, form, next(self._sequences))]

    def deliver(self, body: bytes) -> int | None:
        """Deliver a deliver_sm over the first bind; give the status of the answer, None when none comes."""
        connection = next((each for each in list(self.connections) if each.is_bound), None)
        if connection is None:
            return None
        sequence = next(self._sequences)
        connection.send(wire.DELIVER_SM, 0, sequence, body)
        self.wait_for(lambda: sequence in self._answers or connection not in self.connections, ANSWERS_WITHIN)
        return self._answers.get(sequence)

    # -- one connection

    def handle(self, connection: Connection, command: int, status: int, sequence: int, body: bytes) -> None:
        """Do what a message asks for."""
        with self.changed:
            name = wire.NAMES.get(command, f"0x{command:08X}")
            self.calls[name] += 1
            if command == wire.DELIVER_SM | wire.ANSWER:
                self._answers[sequence] = status
            self.changed.notify_all()
        if command & wire.ANSWER:
            return
        handle = _HANDLERS.get(command)
        if handle is None:
            connection.send(wire.GENERIC_NACK, wire.INVALID_COMMAND, sequence)
        elif not connection.is_bound and command != wire.BIND_TRANSCEIVER:
            connection.send(command | wire.ANSWER, wire.NOT_BOUND, sequence)
        else:
            handle(self, connection, sequence, body)

    def _bind(self, connection: Connection, sequence: int, body: bytes) -> None:
        if self.bind_status is None:
            return
        try:
            status = wire.ALREADY_BOUND if connection.is_bound else self.bind_status or self._check_login(body)
        except wire.RefusedError as refusal:
            status = refusal.status
        # Bound before the answer goes out, since the client may submit the moment it has read it.
        connection.is_bound = connection.is_bound or status == wire.OK
        connection.send(wire.BIND_TRANSCEIVER | wire.ANSWER, status, sequence, b"sandbox\0" if not status else b"")
        with self.changed:
            self.changed.notify_all()

    def _check_login(self, body: bytes) -> int:
        reader = wire.Reader(body)
        system_id, password = reader.text(16), reader.text(9)
        reader.text(13)
        version, _ton, _npi = reader.take(3)
        reader.text(41)
        if reader.rest or version != 0x34:
            return wire.INVALID_LENGTH
        if system_id != self._system_id:
            return wire.WRONG_SYSTEM_ID
        return wire.OK if password == self._password else wire.WRONG_PASSWORD

    def _submit(self, connection: Connection, sequence: int, body: bytes) -> None:
        fault = self._faults.take()
        if fault.kind == "drop_before":
            connection.cut()
            return
        if fault.kind in {"refuse", "nack"}:
            answer = wire.GENERIC_NACK if fault.kind == "nack" else wire.SUBMIT_SM | wire.ANSWER
            connection.send(answer, fault.status, sequence)
            return
        try:
            message = wire.read_submit(body, lambda: f"{next(self._ids):08X}")
        except wire.RefusedError as refusal:
            connection.send(wire.SUBMIT_SM | wire.ANSWER, refusal.status, sequence)
            return
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()
        self._answer_submit(connection, sequence, message, fault.kind)

    def _answer_submit(self, connection: Connection, sequence: int, message: Message, kind: str) -> None:
        def send() -> None:
            body = b"\xff" * 70 if kind == "garble" else message.id.encode() + b"\0"
            connection.send(wire.SUBMIT_SM | wire.ANSWER, wire.OK, sequence, body)
            if self.automatic and message.registered_delivery & 1:
                self.begin(self.receipt, message, "DELIVRD", self.automatic)

        if kind == "drop_after":
            connection.cut()
        elif kind == "hold":
            with self.changed:
                self._held.append(send)
        elif kind != "silent":
            send()
        if kind == "unbind":
            self.unbind()

    def _query(self, connection: Connection, sequence: int, body: bytes) -> None:
        reader = wire.Reader(body)
        id_, _ton, _npi, source = reader.text(65), reader.number(), reader.number(), reader.text(21)
        known = any((message.id, message.source) == (id_, source) for message in self.messages)
        if known:
            connection.send(wire.QUERY_SM | wire.ANSWER, wire.OK, sequence, id_.encode() + b"\0\0\x01\x00")
        else:
            connection.send(wire.QUERY_SM | wire.ANSWER, wire.INVALID_MESSAGE_ID, sequence)

    def _enquire(self, connection: Connection, sequence: int, _body: bytes) -> None:
        if not self.is_deaf:
            connection.send(wire.ENQUIRE_LINK | wire.ANSWER, wire.OK, sequence)

    def _unbind(self, connection: Connection, sequence: int, _body: bytes) -> None:
        connection.is_bound = False
        connection.send(wire.UNBIND | wire.ANSWER, wire.OK, sequence)


_Handler = Callable[[SMPPServer, Connection, int, bytes], None]
_HANDLERS: Mapping[int, _Handler] = {
    wire.BIND_TRANSCEIVER: SMPPServer._bind,  # noqa: SLF001 - of this very module
    wire.SUBMIT_SM: SMPPServer._submit,  # noqa: SLF001 - as above
    wire.QUERY_SM: SMPPServer._query,  # noqa: SLF001 - as above
    wire.ENQUIRE_LINK: SMPPServer._enquire,  # noqa: SLF001 - as above
    wire.UNBIND: SMPPServer._unbind,  # noqa: SLF001 - as above
}
