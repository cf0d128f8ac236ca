"""How does an app make an org's outbound messages through the Metadata API?

createMetadata, updateMetadata, upsertMetadata, readMetadata, deleteMetadata and listMetadata of
WorkflowOutboundMessage, and of no other type. What is saved is fired by the default flow, see outbound_messages.py.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from connector.sandbox.salesforce import metadata_soap as soap
from connector.sandbox.salesforce.fields import ObjectDefinition
from connector.sandbox.salesforce.gate import Gate, refuse_other_host
from connector.sandbox.salesforce.metadata_soap import Call, FaultError, SaveError
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.outbound_messages import OutboundMessage
from connector.sandbox.salesforce.refusals import RefusalError
from connector.sandbox.salesforce.shown import VERSION
from connector.sandbox.salesforce.soap import CONTENT_TYPE

LARGEST_CALL = 10  # components in one call
KIND = "WorkflowOutboundMessage"
_REQUIRED = ("apiVersion", "endpointUrl", "includeSessionId", "integrationUser", "name", "protected")
_ALLOWED = frozenset({*_REQUIRED, "fullName", "description", "fields", "useDeadLetterQueue"})
_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_))*(?<!_)")
_FULL_NAME = re.compile(r"(?P<object>\w+)\.(?P<name>\w+)")


def metadata_routes(gate: Gate) -> Blueprint:
    """`/services/Soap/m/68.0`, with or without the org's id behind it."""
    routes = Blueprint("metadata", __name__, url_prefix=f"/services/Soap/m/{VERSION}")
    views = _MetadataViews(gate)
    routes.post("")(views.call)
    routes.post("/<org_id>")(views.call)
    return routes


class _MetadataViews:
    """One address, many operations."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._world = gate.world

    def call(self, org_id: str = "") -> ResponseReturnValue:
        try:
            call = soap.read_call(request.get_data())
        except FaultError as error:
            return _xml(soap.fault(error), 500)
        known = call.operation if call.operation in _OPERATIONS else "other"
        return self._gate.open_call(f"metadata.{known}", lambda: self._answered(call, org_id))

    def _answered(self, call: Call, org_id: str) -> ResponseReturnValue:
        try:
            with self._world.held():
                org = self._org(call, org_id)
                operation = _OPERATIONS.get(call.operation, _MetadataViews.unknown)
                answer = _xml(soap.answer(call.operation, operation(self, org, call)))
                answer.headers["Sforce-Limit-Info"] = org.usage.header
                return answer
        except FaultError as error:
            return _xml(soap.fault(error), 500)

    def _org(self, call: Call, org_id: str) -> Org:
        try:
            org = self._world.org(self._world.tokens.session(call.session_id).org_id)
            refuse_other_host(org)
        except RefusalError:
            text = "Invalid Session ID found in SessionHeader: Illegal Session"
            raise FaultError("INVALID_SESSION_ID", text) from None
        if org_id and org_id[:15] != org.id[:15]:
            raise FaultError("INVALID_SESSION_ID", "Illegal Session: another organization's address")
        try:
            org.usage.admit()
        except RefusalError as refusal:
            raise FaultError(refusal.code, refusal.message) from None
        if not org.may_customize:
            raise FaultError("INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id")
        return org

    # --- operations ----------------------------------------------------------------------------------

    def unknown(self, _org: Org, _call: Call) -> list[str]:
        raise FaultError("soapenv:Client", "No operation available for request")

    def create(self, org: Org, call: Call) -> list[str]:
        return [self._saved(org, each, may_exist=False) for each in _components(call)]

    def update(self, org: Org, call: Call) -> list[str]:
        return [self._saved(org, each, must_exist=True) for each in _components(call)]

    def upsert(self, org: Org, call: Call) -> list[str]:
        return [self._saved(org, each, tells_created=True) for each in _components(call)]

    def read(self, org: Org, call: Call) -> list[str]:
        _check_type(call.texts("type"))
        names = call.texts("fullNames")
        _check_count(len(names))
        found = [org.outbound_messages.get(name) for name in names]
        # A name nobody knows is an empty record, as the vendor has it.
        return ["".join(soap.shown(each) if each else '<records xsi:nil="true"/>' for each in found)]

    def delete(self, org: Org, call: Call) -> list[str]:
        _check_type(call.texts("type"))
        names = call.texts("fullNames")
        _check_count(len(names))
        results = []
        for name in names:
            if org.outbound_messages.pop(name, None):
                results.append(soap.saved(name))
            else:
                text = f"no {KIND} named {name} found"
                results.append(soap.not_saved(name, SaveError("INVALID_CROSS_REFERENCE_KEY", text)))
        return results

    def list(self, org: Org, call: Call) -> list[str]:
        queries = call.body.findall(f"{{{soap.METADATA}}}queries")
        _check_type([each.findtext(f"{{{soap.METADATA}}}type", "") for each in queries])
        name = org.user(org.user_id).values["Name"]
        return [soap.listed(each, org.user_id, name) for each in org.outbound_messages.values()]

    def _saved(
        self,
        org: Org,
        component: ET.Element,
        *,
        may_exist: bool = True,
        must_exist: bool = False,
        tells_created: bool = False,
    ) -> str:
        full_name = component.findtext(f"{{{soap.METADATA}}}fullName", "").strip()
        is_new = full_name not in org.outbound_messages
        try:
            _check_there(full_name, is_new=is_new, may_exist=may_exist, must_exist=must_exist)
            message = self._read(org, component, full_name)
        except SaveError as error:
            return soap.not_saved(full_name, error, created=False if tells_created else None)
        org.outbound_messages[message.full_name] = message
        return soap.saved(full_name, created=is_new if tells_created else None)

    def _read(self, org: Org, component: ET.Element, full_name: str) -> OutboundMessage:
        values = _values(component)
        definition = _object_of(org, full_name, values["name"][0])
        names = tuple(values.get("fields", ()))
        unknown = [name for name in names if not (field := definition.field(name)) or field.name != name]
        if unknown:
            text = f"Could not resolve field(s) on {definition.name}: {', '.join(unknown)}"
            raise SaveError("INVALID_FIELD", text, ["fields"])
        known = org.outbound_messages.get(full_name)
        made = OutboundMessage(
            known.action_id if known else self._world.writer.ids.next("04k"),
            definition.name,
            full_name.partition(".")[2],
            _endpoint(values["endpointUrl"][0]),
            names,
            _active_user(org, values["integrationUser"][0]),
            _version(values["apiVersion"][0]),
            values["name"][0],
            values.get("description", [""])[0],
            _boolean("protected", values["protected"][0]),
            self._world.clock.now().isoformat(timespec="seconds"),
        )
        return replace(made, on_create=known.on_create, watched=known.watched) if known else made


_OPERATIONS: dict[str, Callable[[_MetadataViews, Org, Call], list[str]]] = {
    "createMetadata": _MetadataViews.create,
    "updateMetadata": _MetadataViews.update,
    "upsertMetadata": _MetadataViews.upsert,
    "readMetadata": _MetadataViews.read,
    "deleteMetadata": _MetadataViews.delete,
    "listMetadata": _MetadataViews.list,
}


def _check_there(full_name: str, *, is_new: bool, may_exist: bool, must_exist: bool) -> None:
    if not is_new and not may_exist:
        raise SaveError("DUPLICATE_DEVELOPER_NAME", f"{full_name} is in use already", ["fullName"])
    if is_new and must_exist:
        raise SaveError("INVALID_CROSS_REFERENCE_KEY", f"no {KIND} named {full_name} found")


def _components(call: Call) -> list[ET.Element]:
    components = call.components()
    _check_count(len(components))
    _check_type([soap.type_of(each) for each in components])
    return components


def _check_count(count: int) -> None:
    if count > LARGEST_CALL:
        text = f"record limit reached. cannot submit more than {LARGEST_CALL} records in this operation"
        raise FaultError("EXCEEDED_ID_LIMIT", text)


def _check_type(kinds: list[str]) -> None:
    for kind in kinds:
        if kind != KIND:
            raise FaultError("INVALID_TYPE", f"this sandbox knows no metadata of type {kind or '(none)'} but {KIND}")


def _values(component: ET.Element) -> dict[str, list[str]]:
    values = soap.fields_of(component)
    if unknown := sorted(set(values) - _ALLOWED):
        raise FaultError("soapenv:Client", f"Element {unknown[0]} invalid at this location in type {KIND}")
    if missing := [name for name in _REQUIRED if not any(values.get(name, []))]:
        raise SaveError("REQUIRED_FIELD_MISSING", f"Required field is missing: {missing[0]}", missing)
    if twice := [name for name, texts in values.items() if len(texts) > 1 and name != "fields"]:
        raise FaultError("soapenv:Client", f"Element {twice[0]} must not repeat in type {KIND}")
    _boolean("includeSessionId", values["includeSessionId"][0])  # read and ignored since February 2026
    return values


def _object_of(org: Org, full_name: str, name: str) -> ObjectDefinition:
    parts = _FULL_NAME.fullmatch(full_name)
    definition = org.find_definition(parts["object"]) if parts else None
    if parts is None or definition is None or definition.name != parts["object"]:
        raise SaveError("INVALID_CROSS_REFERENCE_KEY", f"{full_name} names no object of this org", ["fullName"])
    if not _NAME.fullmatch(parts["name"]):
        text = "The name can only contain underscores and alphanumeric characters, and must begin with a letter"
        raise SaveError("FIELD_INTEGRITY_EXCEPTION", text, ["fullName"])
    if not name or len(name) > 80:
        raise SaveError("STRING_TOO_LONG", "name: data value too large (max length=80)", ["name"])
    return definition


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SaveError("INVALID_INPUT", "endpointUrl: invalid URL", ["endpointUrl"])
    return url


def _active_user(org: Org, username: str) -> str:
    for user in org.rows("User"):
        if user.values["Username"].lower() == username.lower() and user.values["IsActive"]:
            return username
    raise SaveError("INVALID_CROSS_REFERENCE_KEY", f"no active user named {username} found", ["integrationUser"])


def _version(text: str) -> str:
    if not re.fullmatch(r"\d{2}(\.0)?", text) or float(text) > float(VERSION):
        raise SaveError("INVALID_INPUT", f"apiVersion: {text} is no API version", ["apiVersion"])
    return f"{int(float(text))}.0"


def _boolean(name: str, text: str) -> bool:
    if text not in {"true", "false", "1", "0"}:
        raise FaultError("soapenv:Client", f"'{text}' is not a valid value for the type xsd:boolean of {name}")
    return text in {"true", "1"}


def _xml(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type=CONTENT_TYPE)
