"""Do the permission sets grant what is needed, and no more?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.marketplace.salesforce.known import NO_FIELD_SECURITY, fields, is_field
from tests.marketplace.salesforce.package import SHIPPED, children, files, read, text, texts

SETS = {name.removeprefix("SMS_Connector_"): read(path) for name, path in files("permissionsets").items()}
MESSAGE = "SMS_Message__c"

_NEEDED = {
    "allowCreate": ("allowRead",),
    "allowEdit": ("allowRead",),
    "allowDelete": ("allowRead", "allowEdit"),
    "viewAllRecords": ("allowRead",),
    "modifyAllRecords": ("allowRead", "allowEdit", "allowDelete", "viewAllRecords"),
}
"""What Salesforce refuses a permission set without: "Permission X depends on permission(s): Y"."""


def _objects(name: str) -> dict[str, set[str]]:
    grants = (*_NEEDED, "allowRead")
    return {
        text(each, "object"): {grant for grant in grants if text(each, grant) == "true"}
        for each in children(SETS[name], "objectPermissions")
    }


def _fields(name: str, *, editable: bool = False) -> set[str]:
    found = children(SETS[name], "fieldPermissions")
    return {text(each, "field") for each in found if not editable or text(each, "editable") == "true"}


def _user(name: str) -> set[str]:
    return set(texts(SETS[name], "userPermissions/name"))


def _own(object_name: str) -> set[str]:
    return {f"{object_name}.{name}" for name in fields()[object_name] if name.endswith("__c")}


def test_there_is_a_set_for_each_kind_of_person() -> None:
    assert set(SETS) == {"Integration", "Integration_All", "Rep", "Admin"}


@pytest.mark.parametrize("name", SETS)
def test_a_set_grants_what_exists(name: str) -> None:
    granted: Any = SETS[name]
    assert [field for field in _fields(name) if not is_field(field)] == []
    assert set(_objects(name)) <= set(fields())
    assert set(texts(granted, "classAccesses/apexClass")) <= set(files("classes"))
    assert set(texts(granted, "tabSettings/tab")) <= set(files("tabs"))
    assert {
        name for name in texts(granted, "customSettingAccesses/name") if not (SHIPPED / "objects" / name).is_dir()
    } == set()


@pytest.mark.parametrize("name", SETS)
def test_a_set_names_no_field_that_has_no_field_security(name: str) -> None:
    assert [field for field in _fields(name) if field.partition(".")[2] in NO_FIELD_SECURITY] == []
    required = {
        f"{path.parts[-3]}.{path.name.partition('.')[0]}"
        for path in SHIPPED.glob("objects/*/fields/*")
        if texts(read(path), "required") == ["true"]
    }
    assert required & _fields(name) == set()


@pytest.mark.parametrize("name", SETS)
def test_a_set_grants_what_its_grants_depend_on(name: str) -> None:
    granted = _objects(name)
    for object_name, grants in granted.items():
        for grant in grants - {"allowRead"}:
            assert set(_NEEDED[grant]) <= grants, f"{object_name}: {grant}"
    if {"Contact", "Opportunity", "Case"} & granted.keys():
        assert "allowRead" in granted["Account"]
    if "EditTask" in _user(name):
        assert "ActivitiesAccess" in _user(name)


@pytest.mark.parametrize("name", SETS)
def test_a_field_is_granted_on_an_object_the_set_lets_people_read(name: str) -> None:
    readable = {*_objects(name), "Task"} if "EditTask" in _user(name) else set(_objects(name))
    assert {field.partition(".")[0] for field in _fields(name)} <= readable


def test_the_integration_user_can_write_everything_the_connector_writes() -> None:
    writable = _fields("Integration", editable=True)
    assert _own(MESSAGE) | _own("Contact") | _own("Lead") | {"Task.SMS_Ref__c"} <= writable
    assert {"Contact.MobilePhone", "Lead.MobilePhone", "Task.WhoId", "Task.WhatId", "Task.Description"} <= writable
    assert {"ApiEnabled", "EditTask"} <= _user("Integration")
    assert "allowCreate" in _objects("Integration")[MESSAGE]


def test_the_integration_user_sees_every_person_but_deletes_none() -> None:
    granted = _objects("Integration")
    for object_name in ("Contact", "Lead"):
        assert granted[object_name] == {"allowCreate", "allowRead", "allowEdit", "viewAllRecords"}
    for object_name in ("Account", "Opportunity", "Case"):
        assert granted[object_name] == {"allowRead", "viewAllRecords"}
    assert _user("Integration") == {"ActivitiesAccess", "ApiEnabled", "EditTask"}
    assert not texts(SETS["Integration"], "classAccesses/apexClass")


def test_modify_all_is_a_set_of_its_own() -> None:
    people = [
        name for name in SETS if any("modifyAllRecords" in _objects(name).get(o, ()) for o in ("Contact", "Lead"))
    ]
    assert people == ["Integration_All"]


def test_reps_see_and_answer_and_write_no_record_but_the_opt_out() -> None:
    assert all(grants == {"allowRead"} for grants in _objects("Rep").values())
    assert _fields("Rep", editable=True) == {"Contact.SMS_Opt_Out__c", "Lead.SMS_Opt_Out__c"}
    assert _own(MESSAGE) | _own("Contact") | _own("Lead") == _fields("Rep")
    assert not _user("Rep")


@pytest.mark.parametrize("name", ["Rep", "Admin"])
def test_whoever_uses_the_component_may_call_its_class_and_use_the_key(name: str) -> None:
    assert {"SMSConversationController", "SMSSendAction"} <= set(texts(SETS[name], "classAccesses/apexClass"))
    (principal,) = texts(SETS[name], "externalCredentialPrincipalAccesses/externalCredentialPrincipal")
    external, _, principal_name = principal.partition("-")
    parameters = children(read(files("externalCredentials")[external]), "externalCredentialParameters")
    named = [text(each, "parameterName") for each in parameters if text(each, "parameterType") == "NamedPrincipal"]
    assert principal_name in named
    assert _objects(name)["UserExternalCredential"] == {"allowRead"}
