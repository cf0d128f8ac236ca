"""Is everything there that one file of the package says of another?"""

from __future__ import annotations

import json
import re
from itertools import chain

import pytest

from tests.marketplace.salesforce.known import fields, is_field
from tests.marketplace.salesforce.package import (
    AFTERWARDS,
    CLASSES,
    METADATA,
    OWNERS,
    POLICIES,
    ROOT,
    SHIPPED,
    children,
    files,
    read,
    text,
    texts,
)

FLOWS = files("flows", root=AFTERWARDS)
MESSAGE = "SMS_Message__c"


def _messages() -> dict[str, list[str]]:
    """The outbound messages, as `Object.Name`, with their fields."""
    found = {}
    for name, path in files("workflows", root=AFTERWARDS).items():
        object_name = "Invoice__c" if name == "invoice" else name
        for message in children(read(path), "outboundMessages"):
            found[f"{object_name}.{text(message, 'fullName')}"] = texts(message, "fields")
    return found


# --- objects, layouts, views


def test_layout_views_and_compact_layout_show_fields_that_exist() -> None:
    columns = texts(read(files("layouts")["SMS_Message__c-SMS Message Layout"]), "layoutSections/layoutColumns")
    shown = texts(
        read(files("layouts")["SMS_Message__c-SMS Message Layout"]), "layoutSections/layoutColumns/layoutItems/field"
    )
    assert len(columns) == 7
    folder = SHIPPED / "objects" / MESSAGE
    compact = texts(read(folder / "compactLayouts/SMS_Message.compactLayout-meta.xml"), "fields")
    listed = texts(read(folder / f"{MESSAGE}.object-meta.xml"), "searchLayouts/customTabListAdditionalFields")
    for name in [*shown, *compact, *listed]:
        assert is_field(f"{MESSAGE}.{name}"), name
    assert {f for f in fields()[MESSAGE] if f.endswith("__c")} <= set(shown), "the layout shows every field of ours"


def test_list_views_show_and_filter_fields_that_exist() -> None:
    for path in (SHIPPED / "objects" / MESSAGE / "listViews").iterdir():
        view = read(path)
        for name in [*texts(view, "columns"), *texts(view, "filters/field")]:
            assert name == "NAME" or is_field(f"{MESSAGE}.{name}"), f"{path.name}: {name}"


def test_a_filter_of_a_view_asks_for_values_that_exist() -> None:
    folder = SHIPPED / "objects" / MESSAGE
    for path in (folder / "listViews").iterdir():
        for condition in children(read(path), "filters"):
            field = read(folder / "fields" / f"{text(condition, 'field')}.field-meta.xml")
            known = texts(field, "valueSet/valueSetDefinition/value/fullName")
            assert set(text(condition, "value").split(",")) <= set(known), path.name


def test_lookups_lead_to_objects_that_exist() -> None:
    for path in SHIPPED.glob("objects/*/fields/*.field-meta.xml"):
        for target in texts(read(path), "referenceTo"):
            assert target in fields(), path.name


def test_each_file_of_an_object_has_the_name_it_gives_itself() -> None:
    for path in chain(SHIPPED.glob("objects/*/fields/*"), SHIPPED.glob("objects/*/[cl]*/*")):
        assert texts(read(path), "fullName") == [path.name.partition(".")[0]]


def test_the_tab_is_of_an_object_that_exists_and_has_a_layout() -> None:
    assert set(files("tabs")) <= set(fields())
    assert {name.partition("-")[0] for name in files("layouts")} == set(files("tabs"))


# --- flows and outbound messages


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_fires_an_outbound_message_of_its_own_object(name: str) -> None:
    flow = read(FLOWS[name])
    object_name = text(flow, "start/object")
    (action,) = texts(flow, "actionCalls/actionName")
    assert text(flow, "actionCalls/actionType") == "outboundMessage"
    assert action.partition(".")[0] == object_name
    assert action in _messages()
    assert text(flow, "actionCalls/nameSegment") == action


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_reads_fields_that_exist_and_leads_to_elements_that_exist(name: str) -> None:
    flow = read(FLOWS[name])
    object_name = text(flow, "start/object")
    read_by_it = re.findall(r"\$Record\.(\w+)", "".join(flow.itertext()))
    assert [field for field in read_by_it if not is_field(f"{object_name}.{field}")] == []
    settings = re.findall(r"\$Setup\.(\w+\.\w+)", "".join(flow.itertext()))
    assert settings == ["SMS_Settings__c.Flows_Off__c"]
    assert all(is_field(setting) for setting in settings)
    elements = {each for kind in ("actionCalls", "decisions") for each in texts(flow, f"{kind}/name")}
    targets = {each.text for each in flow.iter(f"{{{METADATA}}}targetReference")}
    assert targets == elements, "every element is led to, and nothing else"


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_says_when_it_starts(name: str) -> None:
    flow = read(FLOWS[name])
    is_new_only = text(flow, "start/recordTriggerType") == "Create"
    formulas = texts(flow, "start/filterFormula")
    assert bool(formulas) is not is_new_only
    assert all("ISCHANGED({!$Record." in formula for formula in formulas)
    assert text(flow, "status") == "Active"


def test_every_outbound_message_is_fired_by_a_flow_and_carries_fields_that_exist() -> None:
    fired = {text(read(path), "actionCalls/actionName") for path in FLOWS.values()}
    assert fired == set(_messages())
    for message, carried in _messages().items():
        object_name = message.partition(".")[0]
        assert [field for field in carried if not is_field(f"{object_name}.{field}")] == []
        assert "Id" in carried


def test_a_change_that_a_flow_starts_on_is_in_the_message_it_fires() -> None:
    for path in FLOWS.values():
        flow = read(path)
        watched = re.findall(r"ISCHANGED\({!\$Record\.(\w+)}\)", "".join(texts(flow, "start/filterFormula")))
        assert set(watched) <= set(_messages()[text(flow, "actionCalls/actionName")])


def test_outbound_messages_carry_no_session_and_no_text_of_an_sms() -> None:
    for path in files("workflows", root=AFTERWARDS).values():
        for message in children(read(path), "outboundMessages"):
            assert text(message, "includeSessionId") == "false"
            assert "Body__c" not in texts(message, "fields")


# --- the app and the credentials


def test_all_parts_of_the_app_are_of_one_app() -> None:
    (app,) = files("externalClientApps")
    parts = [
        *files("extlClntAppOauthSettings").values(),
        *files("extlClntAppGlobalOauthSets", root=OWNERS).values(),
        *files("extlClntAppPolicies", root=POLICIES).values(),
        *files("extlClntAppOauthPolicies", root=POLICIES).values(),
    ]
    assert len(parts) == 4
    assert {text(read(path), "externalClientApplication") for path in parts} == {app}


def test_every_folder_of_the_project_is_known_to_the_salesforce_command_line() -> None:
    project = json.loads((ROOT / "sfdx-project.json").read_text(encoding="utf-8"))
    named = {each["path"] for each in project["packageDirectories"]}
    assert named == {folder.parts[-3] for folder in (SHIPPED, AFTERWARDS, POLICIES, OWNERS)}


def test_the_app_demands_pkce_rotates_refresh_tokens_and_keeps_to_one_flow() -> None:
    (path,) = files("extlClntAppGlobalOauthSets", root=OWNERS).values()
    settings = read(path)
    assert text(settings, "isPkceRequired") == "true"
    assert text(settings, "isRefreshTokenRotationEnabled") == "true"
    assert text(settings, "isSecretRequiredForRefreshToken") == "true"
    assert text(settings, "isConsumerSecretOptional") == "false"
    others = (
        "isClientCredentialsFlowEnabled",
        "isCodeCredFlowEnabled",
        "isDeviceFlowEnabled",
        "isTokenExchangeEnabled",
    )
    assert [text(settings, other) for other in others] == ["false"] * 4


def test_only_the_integration_user_may_authorise_the_app() -> None:
    (path,) = files("extlClntAppOauthPolicies", root=POLICIES).values()
    policy = read(path)
    assert text(policy, "permittedUsersPolicyType") == "AdminApprovedPreAuthorized"
    assert text(policy, "commaSeparatedPermissionSet") == "SMS_Connector_Integration"
    assert "SMS_Connector_Integration" in files("permissionsets")


def test_apex_calls_the_named_credential_which_has_its_external_credential() -> None:
    called = {
        found for path in CLASSES.glob("*.cls") for found in re.findall(r"'callout:(\w+)'", path.read_text("utf-8"))
    }
    assert called == set(files("namedCredentials"))
    (named,) = files("namedCredentials").values()
    (external,) = texts(read(named), "namedCredentialParameters/externalCredential")
    assert external in files("externalCredentials")
    header = texts(read(files("externalCredentials")[external]), "externalCredentialParameters/parameterValue")
    assert header == [f"{{!'Bearer ' & $Credential.{external}.API_Key}}"]
    assert text(read(named), "allowMergeFieldsInHeader") == "true", "the header is a formula"
    assert text(read(named), "generateAuthorizationHeader") == "false", "the header is ours"
