"""How does the pretend Salesforce serve its Pub/Sub API, as strictly as the real one?

Codes and their meaning: developer.salesforce.com, Pub/Sub API, "Handle Errors". gRPC without TLS, on loopback.
"""

import contextlib
import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, Self

import grpc

from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.pubsub_bus import EventBus, StoredEvent, number_of, replay_id
from connector.sandbox.salesforce.pubsub_wire import CUSTOM, EARLIEST, SERVICE, message
from connector.sandbox.salesforce.refusals import RefusalError
from connector.sandbox.salesforce.world import SalesforceWorld

MOST_PENDING = 100  # events requested and not delivered yet
KEEPALIVE = 270.0  # seconds after which an idle stream is told its latest replay id
_WORKERS = 64  # a stream holds one for as long as it lives
_CODE = "sfdc.platform.eventbus.grpc."
_Status = grpc.StatusCode
Violation = tuple[Any, str]


@dataclass
class _Stream:
    """One Subscribe call. `pending` events may still be delivered; `violation` ends it."""

    org_id: str
    topic: str
    number: int
    pending: int = 0
    violation: Violation | None = None
    wants_keepalive: bool = False
    is_over: bool = False

    def has_ended(self) -> bool:
        """Whether its customer is gone."""
        return self.is_over


class PubSubServer:
    """The Pub/Sub API of every org of a world, on a port of its own.

    To be changed at any time: `duplicates` (further copies of each event), `batch_size` (events in a response),
    `is_over_quota`. `drop()` breaks every stream, `keepalive()` lets every idle one be told where it stands.
    `calls` counts calls by method; `streams` says how many are open.
    """

    def __init__(self, world: SalesforceWorld, bus: EventBus, port: int = 0, *, keepalive: float = KEEPALIVE) -> None:
        self.duplicates = 0
        self.batch_size = 20
        self.is_over_quota = False
        self.calls: Counter[str] = Counter()
        self._world, self._bus, self._keepalive = world, bus, keepalive
        self._streams: list[_Stream] = []
        self._rpcs = itertools.count(1)
        self._server = grpc.server(ThreadPoolExecutor(_WORKERS, "sandbox-pubsub"))
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, self._methods()),))
        self.port = int(self._server.add_insecure_port(f"127.0.0.1:{port}"))

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def start(self) -> Self:
        """Serve from threads."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Break every stream and stop serving."""
        self.drop()
        self._server.stop(None).wait(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def drop(self) -> None:
        """Break every stream, as a release of Salesforce's does."""
        with self._bus.changed:
            for each in self._streams:
                each.violation = (_Status.UNAVAILABLE, "")
            self._bus.changed.notify_all()

    def keepalive(self) -> None:
        """Tell every idle stream where it stands, without waiting."""
        with self._bus.changed:
            for each in self._streams:
                each.wants_keepalive = True
            self._bus.changed.notify_all()

    def _methods(self) -> dict[str, Any]:
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler
        return {
            "GetTopic": unary(self._topic, message("TopicRequest").FromString, _bytes),
            "GetSchema": unary(self._schema, message("SchemaRequest").FromString, _bytes),
            "Subscribe": stream(self._subscribe, message("FetchRequest").FromString, _bytes),
        }

    # --- methods -------------------------------------------------------------------------------------

    def _topic(self, request: Any, context: Any) -> Any:
        self.calls["GetTopic"] += 1
        org = self._caller(context)
        schema_id = self._known_topic(org, request.topic_name, context)
        return message("TopicInfo")(
            topic_name=request.topic_name,
            tenant_guid=org.id,
            can_subscribe=True,
            schema_id=schema_id,
            rpc_id=self._rpc(),
        )

    def _schema(self, request: Any, context: Any) -> Any:
        self.calls["GetSchema"] += 1
        org = self._caller(context)
        text = self._bus.schema(org.id, request.schema_id)
        if text is None:
            self._refuse(context, _Status.INVALID_ARGUMENT, "schema.validation.failed")
        return message("SchemaInfo")(schema_json=text, schema_id=request.schema_id, rpc_id=self._rpc())

    def _subscribe(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        self.calls["Subscribe"] += 1
        org = self._caller(context)
        try:
            first = next(requests)
        except StopIteration:
            return
        stream = self._begun(org, first, context)
        self._bus.wake(lambda: self._streams.append(stream))
        context.add_callback(lambda: self._bus.wake(lambda: setattr(stream, "is_over", True)))
        threading.Thread(target=self._read, args=(stream, requests), name="sandbox-pubsub-reads", daemon=True).start()
        try:
            yield from self._deliveries(stream, context)
        finally:
            self._bus.wake(lambda: self._streams.remove(stream))

    def _begun(self, org: Org, first: Any, context: Any) -> _Stream:
        """The stream a first request asks for, where it asks for it."""
        self._known_topic(org, first.topic_name, context)
        number = self._bus.tip(org.id)
        if first.replay_preset == EARLIEST:
            number = self._bus.oldest(org.id)
        elif first.replay_preset == CUSTOM:
            if not first.replay_id:
                self._refuse(context, _Status.INVALID_ARGUMENT, "subscription.fetch.replayid.validation.failed")
            asked = number_of(first.replay_id)
            if asked is None or not self._bus.is_kept(org.id, asked):
                self._refuse(context, _Status.INVALID_ARGUMENT, "subscription.fetch.replayid.corrupted")
            number = asked
        stream = _Stream(org.id, first.topic_name, number)
        self._take(stream, first)
        return stream

    def _read(self, stream: _Stream, requests: Iterator[Any]) -> None:
        """Take the further requests of a stream until its customer ends it."""
        with contextlib.suppress(Exception):  # the call ended, in whichever way
            for request in requests:
                self._bus.wake(lambda: self._take(stream, request))  # noqa: B023 - called at once
        self._bus.wake(lambda: setattr(stream, "is_over", True))

    def _take(self, stream: _Stream, request: Any) -> None:
        if request.topic_name not in {"", stream.topic}:
            stream.violation = (_Status.INVALID_ARGUMENT, "subscription.fetch.topic.mismatch")
        elif request.num_requested <= 0:
            stream.violation = (_Status.INVALID_ARGUMENT, "subscription.fetch.requested.events.invalid")
        elif stream.pending + request.num_requested > MOST_PENDING:
            stream.violation = (_Status.INVALID_ARGUMENT, "subscription.fetch.overflow")
        else:
            stream.pending += request.num_requested

    def _deliveries(self, stream: _Stream, context: Any) -> Iterator[Any]:
        while not stream.has_ended():
            with self._bus.changed:
                events = self._due(stream)
                if not events and not self._is_woken(stream):
                    if not self._bus.changed.wait(self._keepalive):
                        stream.wants_keepalive = True
                    continue
                if not stream.violation:
                    stream.wants_keepalive = False
            if stream.has_ended():
                return
            self._caller(context)
            if self.is_over_quota:
                stream.violation = (_Status.RESOURCE_EXHAUSTED, "subscription.limit.exceeded")
            if stream.violation:
                self._refuse(context, *stream.violation)
            yield self._response(stream, events)

    def _is_woken(self, stream: _Stream) -> bool:
        return bool(stream.violation) or stream.wants_keepalive or stream.is_over

    def _due(self, stream: _Stream) -> list[StoredEvent]:
        copies = 1 + self.duplicates
        most = min(self.batch_size, stream.pending // copies)
        return list(self._bus.after(stream.org_id, stream.topic, stream.number, most))

    def _response(self, stream: _Stream, events: list[StoredEvent]) -> Any:
        answer = message("FetchResponse")(rpc_id=self._rpc())
        for event in (each for each in events for _ in range(1 + self.duplicates)):
            told = answer.events.add(replay_id=event.replay_id)
            told.event.id, told.event.schema_id, told.event.payload = event.id, event.schema_id, event.payload
        with self._bus.changed:
            stream.number = events[-1].number if events else stream.number
            stream.pending -= len(answer.events)
            answer.latest_replay_id = replay_id(stream.number if events else self._bus.tip(stream.org_id))
            answer.pending_num_requested = stream.pending
        return answer

    # --- who asks, and for what ----------------------------------------------------------------------

    def _caller(self, context: Any) -> Org:
        """The org a call is for: its token lives, and address and id are the org's own."""
        told = dict(context.invocation_metadata())
        token, url, tenant = (str(told.get(name) or "") for name in ("accesstoken", "instanceurl", "tenantid"))
        if not token or not url or len(tenant) != 18:
            self._refuse(context, _Status.UNAUTHENTICATED, "service.auth.headers.invalid")
        try:
            org = self._world.org(self._world.tokens.session(token).org_id)
        except RefusalError:
            self._refuse(context, _Status.UNAUTHENTICATED, "service.auth.error")
        if org.id != tenant or (org.instance_host and url != f"https://{org.instance_host}"):
            self._refuse(context, _Status.UNAUTHENTICATED, "service.auth.error")
        return org

    def _known_topic(self, org: Org, topic: str, context: Any) -> str:
        if not topic:
            self._refuse(context, _Status.INVALID_ARGUMENT, "topic.validation.empty")
        schema_id = self._bus.schema_of(org.id, topic)
        if schema_id is None:
            self._refuse(context, _Status.NOT_FOUND, "topic.not.found")
        return schema_id

    def _refuse(self, context: Any, status: Any, code: str) -> NoReturn:
        rpc_id = self._rpc()
        trailers = (("rpc-id", rpc_id), *((("error-code", _CODE + code),) if code else ()))
        context.set_trailing_metadata(trailers)
        context.abort(status, f"{code or 'the stream was closed'}. rpcId: {rpc_id}")
        raise AssertionError("abort raises")

    def _rpc(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._rpcs):012d}"


def _bytes(answer: Any) -> bytes:
    told: bytes = answer.SerializeToString()
    return told
