"""How does one process listen to the Pub/Sub API for all its organisations?

One connection carries every stream. Who a call is for is told by three headers: the access token, the organisation's
address and its id of 18 characters (developer.salesforce.com, Pub/Sub API, "Supported Authentication").
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import grpc

from connector.adapters.crm.salesforce.addresses import instance_url
from connector.adapters.crm.salesforce.ids import full_id
from connector.adapters.crm.salesforce.pubsub import wire
from connector.adapters.crm.salesforce.pubsub.errors import translated
from connector.adapters.crm.salesforce.pubsub.events import EventSchema, read_event, unreadable
from connector.adapters.crm.salesforce.token_auth import Tokens
from connector.errors import ConfigurationError, CRMDisconnectedError, CRMUnavailableError
from connector.ports.change_streams import Batch, StreamedEvent
from connector.ports.crm import CRMAccount

_CALL_SECONDS = 15.0  # a schema is read in well under a second
_LARGEST_MESSAGE = 16 * 1024 * 1024  # bytes; 100 events of at most 1 MB each are sent in messages of 4 MB at most
_KEPT_SCHEMAS = 200  # a schema changes whenever an admin adds a field; an organisation streams few objects
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
RENEWED = "token renewed"
"""Category of the error that ends a stream whose token died, when another one is there already."""


class PubSubStreams:
    """The `ChangeStreams` port for Salesforce organisations. Thread-safe.

    Args:
        url: `https://host:port`; `http://` for a double on this machine only.
        tokens: of all accounts.

    Raises:
        ConfigurationError: a token would go out in clear.
    """

    def __init__(self, url: str, tokens: Tokens) -> None:
        self._tokens, self._channel = tokens, _channel(url)
        self._schemas: OrderedDict[tuple[str, str], EventSchema] = OrderedDict()
        self._lock = threading.Lock()
        self._get_schema = self._channel.unary_unary(
            f"/{wire.SERVICE}/GetSchema", wire.SchemaRequest.SerializeToString, wire.SchemaInfo.FromString
        )
        self._subscribe = self._channel.stream_stream(
            f"/{wire.SERVICE}/Subscribe", wire.FetchRequest.SerializeToString, wire.FetchResponse.FromString
        )

    def close(self) -> None:
        """Close the connection, and with it every stream."""
        self._channel.close()

    def open(self, account: CRMAccount, topic: str, place: str) -> PubSubStream:
        """Listen to a topic from behind a place."""
        caller = _Caller(self._tokens, account, self._tokens.current(account.account_id))
        headers = caller.headers
        asked = _Asked(topic, bytes.fromhex(place))
        call = self._subscribe(iter(asked), metadata=headers)
        if not call.add_callback(asked.end):  # however it ends, nobody waits to ask any more
            asked.end()
        return PubSubStream(caller, topic, asked, call, lambda schema_id: self._schema(schema_id, caller))

    def _schema(self, schema_id: str, caller: _Caller) -> EventSchema:
        """Give a schema; its id is a fingerprint of what it says, so it may be kept.

        Raises:
            ValueError: it cannot be read.
            CRMError: it could not be asked for.
        """
        key = (caller.account.external_id, schema_id)
        with self._lock:
            if key in self._schemas:
                self._schemas.move_to_end(key)
                return self._schemas[key]
        request = wire.SchemaRequest(schema_id=schema_id)
        told = caller.asking(
            "schema of an event",
            lambda: self._get_schema(request, metadata=caller.headers, timeout=_CALL_SECONDS),
        )
        schema = EventSchema(told.schema_json)
        with self._lock:
            self._schemas[key] = schema
            while len(self._schemas) > _KEPT_SCHEMAS:
                self._schemas.popitem(last=False)
        return schema


@dataclass(slots=True)
class _Caller:
    """For whom calls are made, and with which token."""

    tokens: Tokens
    account: CRMAccount
    token: str = field(repr=False)

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        return (
            ("accesstoken", self.token),
            ("instanceurl", instance_url(self.account.settings)),
            ("tenantid", full_id(self.account.external_id)),
        )

    def asking(self, what: str, call: Callable[[], Any]) -> Any:
        """Make a call that raises what we call errors."""
        try:
            return call()
        except grpc.RpcError as error:
            raise self.meaning(what, error) from None

    def meaning(self, what: str, error: grpc.RpcError) -> Exception:
        """Say what a failed call means; where the token died, see first that there is another one.

        Raises:
            CRMDisconnectedError: there is none.
            CRMUnavailableError: none can be had at the moment.
        """
        found = translated(what, error)
        if isinstance(found, CRMDisconnectedError):
            self.tokens.renewed(self.account.account_id, self.token)
            return CRMUnavailableError(f"{what}: the token had died", category=RENEWED)
        return found


class _Asked:
    """What a stream asks for, as the call takes it: the first request names topic and place, each further one room."""

    def __init__(self, topic: str, place: bytes) -> None:
        self._counts: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._topic, self._place = topic, place

    def ask(self, count: int) -> None:
        self._counts.put(count)

    def end(self) -> None:
        self._counts.put(0)

    def __iter__(self) -> Iterator[Any]:
        first: Mapping[str, Any] = {
            "topic_name": self._topic,
            "replay_preset": wire.CUSTOM if self._place else wire.LATEST,
            "replay_id": self._place,
        }
        while count := self._counts.get():
            yield wire.FetchRequest(num_requested=count, **first)
            first = {}


class PubSubStream:
    """One topic of one organisation, being listened to."""

    def __init__(
        self, caller: _Caller, topic: str, asked: _Asked, call: Any, schema: Callable[[str], EventSchema]
    ) -> None:
        self._caller, self._topic, self._asked, self._call, self._schema = caller, topic, asked, call, schema
        self._is_closed = False

    def ask(self, count: int) -> None:
        """Say that there is room for `count` more events."""
        self._asked.ask(count)

    def wait(self) -> Batch | None:
        """Wait for what comes next."""
        try:
            response = next(self._call)
        except StopIteration:
            if self._is_closed:
                return None
            raise CRMUnavailableError(f"stream of {self._topic}: Salesforce ended it") from None
        except grpc.RpcError as error:
            if self._is_closed:
                return None
            raise self._caller.meaning(f"stream of {self._topic}", error) from None
        place = response.events[-1].replay_id if response.events else response.latest_replay_id
        events = [self._event(each.event) for each in response.events]
        return Batch(events, place.hex())

    def close(self) -> None:
        """Stop listening."""
        self._is_closed = True
        self._call.cancel()

    def _event(self, event: Any) -> StreamedEvent:
        organization_id = full_id(self._caller.account.external_id)
        try:
            schema = self._schema(event.schema_id)
        except ValueError as error:
            return unreadable(organization_id, event.id, event.payload, str(error))
        return read_event(organization_id, event.id, event.payload, schema)


def _channel(url: str) -> Any:
    parts = urlsplit(url)
    options = [("grpc.max_receive_message_length", _LARGEST_MESSAGE)]
    if parts.scheme == "https":
        return grpc.secure_channel(parts.netloc, grpc.ssl_channel_credentials(), options)
    if parts.hostname not in _LOOPBACK:
        raise ConfigurationError("SALESFORCE_PUBSUB_URL must begin with https://, but for a double on this machine")
    return grpc.insecure_channel(parts.netloc, options)
