"""How do the messages of Salesforce's Pub/Sub API look on the wire?

The service is `eventbus.v1.PubSub`; names and numbers of fields are those of its published interface
(github.com/forcedotcom/pub-sub-api, `pubsub_api.proto`), of which only what a subscriber needs is described here.
The descriptors are built at run time, since a table of seven messages is smaller than generated code and needs no
compiler; outside this package they are never seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "eventbus.v1.PubSub"
_PACKAGE = "eventbus.v1"
_Kind = descriptor_pb2.FieldDescriptorProto

LATEST, EARLIEST, CUSTOM = 0, 1, 2
"""`ReplayPreset`: from now on, from the oldest event kept, or behind an event."""

# Message → its fields in order: name, number, and what it holds; a name in capitals is another message, `*` many.
_MESSAGES = MappingProxyType(
    {
        "SchemaRequest": (("schema_id", 1, "string"),),
        "SchemaInfo": (("schema_json", 1, "string"), ("schema_id", 2, "string"), ("rpc_id", 3, "string")),
        "EventHeader": (("key", 1, "string"), ("value", 2, "bytes")),
        "ProducerEvent": (
            ("id", 1, "string"),
            ("schema_id", 2, "string"),
            ("payload", 3, "bytes"),
            ("headers", 4, "*EventHeader"),
        ),
        "ConsumerEvent": (("event", 1, "ProducerEvent"), ("replay_id", 2, "bytes")),
        "FetchRequest": (
            ("topic_name", 1, "string"),
            ("replay_preset", 2, "ReplayPreset"),
            ("replay_id", 3, "bytes"),
            ("num_requested", 4, "int32"),
            ("auth_refresh", 5, "string"),
        ),
        "FetchResponse": (
            ("events", 1, "*ConsumerEvent"),
            ("latest_replay_id", 2, "bytes"),
            ("rpc_id", 3, "string"),
            ("pending_num_requested", 4, "int32"),
        ),
    }
)
_SCALARS = MappingProxyType({"string": _Kind.TYPE_STRING, "bytes": _Kind.TYPE_BYTES, "int32": _Kind.TYPE_INT32})


def _described() -> Any:
    """Describe the interface as a file of it would."""
    file = descriptor_pb2.FileDescriptorProto(name="subscriber.proto", package=_PACKAGE, syntax="proto3")
    presets = file.enum_type.add(name="ReplayPreset")
    for name, number in (("LATEST", LATEST), ("EARLIEST", EARLIEST), ("CUSTOM", CUSTOM)):
        presets.value.add(name=name, number=number)
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, number, holds in fields:
            described.field.add(name=name, number=number, **dict(_held(holds)))
    return file


def _held(holds: str) -> Iterator[tuple[str, Any]]:
    yield "label", _Kind.LABEL_REPEATED if holds.startswith("*") else _Kind.LABEL_OPTIONAL
    name = holds.removeprefix("*")
    if name in _SCALARS:
        yield "type", _SCALARS[name]
        return
    yield "type", _Kind.TYPE_MESSAGE if name in _MESSAGES else _Kind.TYPE_ENUM
    yield "type_name", f".{_PACKAGE}.{name}"


_pool = descriptor_pool.DescriptorPool()  # of our own: the published file may be loaded in the same process
_pool.Add(_described())


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


SchemaRequest, SchemaInfo = _message("SchemaRequest"), _message("SchemaInfo")
FetchRequest, FetchResponse = _message("FetchRequest"), _message("FetchResponse")
