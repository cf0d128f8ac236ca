"""Does the package call everything as the connector does?"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator

from connector.adapters.crm.salesforce import names, record_format
from connector.adapters.crm.salesforce.clients import API_VERSION
from connector.adapters.crm.salesforce.ids import CONTACT, LEAD
from connector.adapters.crm.salesforce.installing import SCOPES
from connector.adapters.crm.salesforce.names import OrgNames
from connector.adapters.crm.salesforce.outbound_setup import outbound_messages
from connector.domain.message import MessageState
from connector.entrypoints.cli.reference import openapi_page
from connector.ports.api_keys import APIScope
from connector.sandbox.salesforce.package_schema import install_package
from connector.sandbox.salesforce.schema import standard_objects
from tests.marketplace.salesforce.known import fields
from tests.marketplace.salesforce.package import (
    AFTERWARDS,
    CLASSES,
    METADATA,
    PLACEHOLDERS,
    ROOT,
    SHIPPED,
    children,
    files,
    metadata_files,
    read,
    text,
    texts,
)
from tests.marketplace.salesforce.segment_vectors import VECTORS, written

_CALLED = re.compile(r"'(/[a-z_/]+)[?']")
_OAUTH = {"Api": "api", "Basic": "id", "RefreshToken": "refresh_token"}
"""What the app's settings call a scope, and what OAuth calls it."""


def _own(object_name: str) -> set[str]:
    return {name for name in fields()[object_name] if name.endswith("__c")}


def test_people_have_the_fields_that_the_connector_writes() -> None:
    assert _own("Contact") == _own("Lead") == set(names.PERSON_FIELDS)
    assert _own("Task") == {names.REF}


def test_a_text_has_the_fields_that_the_connector_writes() -> None:
    used = set(re.findall(r"\"(\w+__c)\"", inspect.getsource(record_format)))
    people = {f"{CONTACT}__c", f"{LEAD}__c"}
    assert used | people | {names.MESSAGE_ID} == _own(names.MESSAGE)


def test_the_pretend_salesforce_installs_this_very_package() -> None:
    objects = {each.name: each for each in standard_objects()}
    before = {name: set(each.fields) for name, each in objects.items()}
    install_package(objects)
    added = {name: set(each.fields) - before.get(name, set()) for name, each in objects.items()}
    for name in ("Contact", "Lead", "Task", names.MESSAGE):
        assert {field for field in added[name] if field.endswith("__c")} == {field.lower() for field in _own(name)}


def test_a_text_is_upserted_by_an_external_id_that_is_unique_and_tells_capitals_apart() -> None:
    field = read(SHIPPED / "objects" / names.MESSAGE / "fields" / f"{names.MESSAGE_ID}.field-meta.xml")
    assert (text(field, "type"), text(field, "length")) == ("Text", "80")
    assert [text(field, name) for name in ("externalId", "unique", "caseSensitive")] == ["true"] * 3


def test_the_fields_are_of_the_kind_and_length_that_the_connector_expects() -> None:
    found = {
        f"{path.parts[-3]}.{path.name.partition('.')[0]}": (text(read(path), "type"), *texts(read(path), "length"))
        for path in SHIPPED.glob("objects/*/fields/*.field-meta.xml")
    }
    for person in ("Contact", "Lead"):
        assert found[f"{person}.SMS_Opt_Out__c"] == ("Checkbox",)
        assert found[f"{person}.SMS_Opt_Out_Source__c"] == ("Text", "255")
        assert found[f"{person}.SMS_Handoff__c"] == ("Text", "255")
        times = ("SMS_Opt_Out_At__c", "SMS_Opted_In_At__c")
        assert {found[f"{person}.{name}"] for name in times} == {("DateTime",)}
    assert found["Activity.SMS_Ref__c"] == ("Text", "80")
    assert found[f"{names.MESSAGE}.Body__c"] == ("LongTextArea", "32768")


def test_the_states_of_a_text_are_those_of_the_connector() -> None:
    field = read(SHIPPED / "objects" / names.MESSAGE / "fields/Status__c.field-meta.xml")
    assert texts(field, "valueSet/valueSetDefinition/value/fullName") == [state.value for state in MessageState]


def test_the_outbound_messages_are_those_that_the_setup_makes() -> None:
    settings = {"invoice_object": PLACEHOLDERS["invoice_object"]}
    wanted = outbound_messages(OrgNames(settings), PLACEHOLDERS["endpoint_url"], PLACEHOLDERS["integration_user"])
    made = {
        each.full_name: (each.label, each.description, tuple(each.fields), each.endpoint_url, each.username)
        for each in wanted
    }
    assert dict(_outbound_messages()) == made


def _outbound_messages() -> Iterator[tuple[str, tuple[str, str, tuple[str, ...], str, str]]]:
    for name, path in files("workflows", root=AFTERWARDS).items():
        object_name = PLACEHOLDERS["invoice_object"] if name == "invoice" else name
        for each in children(read(path), "outboundMessages"):
            label, description, endpoint, user = (
                text(each, key) for key in ("name", "description", "endpointUrl", "integrationUser")
            )
            yield (
                f"{object_name}.{text(each, 'fullName')}",
                (*(label, description, tuple(texts(each, "fields")), endpoint, user),),
            )


def test_the_app_has_the_scopes_that_the_connector_asks_for() -> None:
    (path,) = files("extlClntAppOauthSettings").values()
    granted = text(read(path), "commaSeparatedOauthScopes").split(", ")
    assert {_OAUTH[scope] for scope in granted} == set(SCOPES)


def test_everything_is_of_the_api_version_that_the_connector_calls() -> None:
    project = json.loads((ROOT / "sfdx-project.json").read_text(encoding="utf-8"))
    assert project["sourceApiVersion"] == API_VERSION
    found = [each.text for path in metadata_files() for each in read(path).iter(f"{{{METADATA}}}apiVersion")]
    assert set(found) == {API_VERSION}


def test_apex_calls_addresses_that_the_connector_has() -> None:
    paths = set(json.loads(openapi_page())["paths"])
    card, batch = "/api/v1/card", "/api/v1/messages/batch"
    source = "".join(path.read_text(encoding="utf-8") for path in CLASSES.glob("SMS*n*.cls") if "Test" not in path.name)
    assert f"'{card}'" in source
    assert f"'{batch}'" in source
    assert batch in paths
    parts = {part for part in _CALLED.findall(source) if not part.startswith("/api/")}
    assert parts == {"/contacts/", "/templates", "/preview", "/messages", "/consent"}
    for part in parts - {"/contacts/", "/templates"}:
        assert f"{card}/contacts/{{crm_id}}{part}" in paths
    assert {f"{card}/contacts/{{crm_id}}", f"{card}/templates"} <= paths


def test_the_guide_gives_the_key_scopes_that_exist() -> None:
    guide = (ROOT.parents[1] / "docs/how-to/connect-salesforce.md").read_text(encoding="utf-8")
    given = set(re.findall(r"--scope (\S+)", guide))
    assert given == {APIScope.CARD.value, APIScope.MESSAGES_SEND.value}


def test_the_counter_of_the_component_is_held_to_what_the_connector_counts() -> None:
    hint = "run: python -m tests.marketplace.salesforce.segment_vectors"
    assert VECTORS.read_text(encoding="utf-8") == written(), hint
