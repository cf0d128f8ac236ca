"""Which messages does the pretend Pub/Sub API take and give?

Written down for the sandbox alone, so that the connector's own reading of the published interface
(github.com/forcedotcom/pub-sub-api, `pubsub_api.proto`) is held against a second one.
"""

import re
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "eventbus.v1.PubSub"
_PACKAGE = ".eventbus.v1."
_MESSAGES = """
TopicInfo     { string topic_name = 1 ; string tenant_guid = 2 ; bool can_publish = 3 ; bool can_subscribe = 4 ;
                string schema_id = 5 ; string rpc_id = 6 }
TopicRequest  { string topic_name = 1 }
SchemaInfo    { string schema_json = 1 ; string schema_id = 2 ; string rpc_id = 3 }
SchemaRequest { string schema_id = 1 }
EventHeader   { string key = 1 ; bytes value = 2 }
ProducerEvent { string id = 1 ; string schema_id = 2 ; bytes payload = 3 ; repeated EventHeader headers = 4 }
ConsumerEvent { ProducerEvent event = 1 ; bytes replay_id = 2 }
FetchRequest  { string topic_name = 1 ; ReplayPreset replay_preset = 2 ; bytes replay_id = 3 ; int32 num_requested = 4 ;
                string auth_refresh = 5 }
FetchResponse { repeated ConsumerEvent events = 1 ; bytes latest_replay_id = 2 ; string rpc_id = 3 ;
                int32 pending_num_requested = 4 }
"""
_PRESETS = ("LATEST", "EARLIEST", "CUSTOM")
LATEST, EARLIEST, CUSTOM = range(len(_PRESETS))
_MESSAGE = re.compile(r"(\w+)\s*\{([^}]*)\}")
_FIELD = re.compile(r"(repeated )?(\w+) (\w+) = (\d+)")
_KINDS = {"string": 9, "bytes": 12, "bool": 8, "int32": 5}  # descriptor.proto, FieldDescriptorProto.Type
_MESSAGE_KIND, _ENUM_KIND = 11, 14


def _pool() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="sandbox.proto", package="eventbus.v1", syntax="proto3")
    presets = file.enum_type.add(name="ReplayPreset")
    for number, name in enumerate(_PRESETS):
        presets.value.add(name=name, number=number)
    for name, body in _MESSAGE.findall(_MESSAGES):
        message = file.message_type.add(name=name)
        for repeated, kind, field, number in _FIELD.findall(body):
            added = message.field.add(name=field, number=int(number), label=3 if repeated else 1)
            added.type = _KINDS.get(kind) or (_ENUM_KIND if kind == "ReplayPreset" else _MESSAGE_KIND)
            if kind not in _KINDS:
                added.type_name = _PACKAGE + kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


_known = _pool()


def message(name: str) -> Any:
    """The class of a message."""
    return message_factory.GetMessageClass(_known.FindMessageTypeByName(f"eventbus.v1.{name}"))
