"""Would Salesforce take the package's metadata, as far as can be told without an organisation?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.marketplace.salesforce.metadata_schema import metadata_schema
from tests.marketplace.salesforce.package import METADATA, ROOT, etree, metadata_files, read

_FIELD = f'<CustomField xmlns="{METADATA}">{{}}</CustomField>'
_FLOW = f'<Flow xmlns="{METADATA}"><label>x</label>{{}}</Flow>'


def _mistakes(text: str) -> list[str]:
    return metadata_schema().mistakes(etree.fromstring(text))


@pytest.mark.parametrize("path", metadata_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_metadata_file_is_what_the_metadata_api_describes(path: Path) -> None:
    assert metadata_schema().mistakes(read(path)) == []


def test_there_is_metadata_of_every_kind_the_package_needs() -> None:
    kinds = {etree.QName(read(path)).localname for path in metadata_files()}
    assert kinds == {
        *("ApexClass", "CompactLayout", "CustomField", "CustomObject", "CustomTab", "ExternalClientApplication"),
        *("ExternalCredential", "ExtlClntAppConfigurablePolicies", "ExtlClntAppGlobalOauthSettings"),
        *("ExtlClntAppOauthConfigurablePolicies", "ExtlClntAppOauthSettings", "FlexiPage", "Flow", "Layout"),
        *("LightningComponentBundle", "ListView", "NamedCredential", "PermissionSet", "QuickAction", "Workflow"),
    }


def test_a_sound_file_has_no_mistakes() -> None:
    assert _mistakes(_FIELD.format("<fullName>A__c</fullName><length>80</length><type>Text</type>")) == []


def test_a_misspelt_element_is_noticed() -> None:
    assert _mistakes(_FIELD.format("<lenght>80</lenght>")) == ["1: CustomField has no element lenght"]


def test_a_misspelt_element_deep_inside_is_noticed() -> None:
    action = (
        "<actionCalls><name>A</name><locationX>1</locationX><locationY>1</locationY><actoinName>x</actoinName>"
        "</actionCalls>"
    )
    assert _mistakes(_FLOW.format(action)) == ["1: FlowActionCall has no element actoinName"]


def test_an_element_of_a_base_type_is_known() -> None:
    action = "<actionCalls><name>A</name><label>B</label><locationX>1</locationX><locationY>1</locationY></actionCalls>"
    assert _mistakes(_FLOW.format(action)) == []


def test_a_missing_required_element_is_noticed() -> None:
    assert _mistakes(f'<NamedCredential xmlns="{METADATA}"/>') == ["1: NamedCredential lacks label"]


def test_a_value_outside_its_enumeration_is_noticed() -> None:
    assert _mistakes(_FIELD.format("<type>Txt</type>")) == ["1: type cannot be 'Txt'"]


@pytest.mark.parametrize(
    ("element", "mistake"),
    [
        ("<unique>yes</unique>", "1: unique is no boolean: 'yes'"),
        ("<length>eighty</length>", "1: length is no int: 'eighty'"),
        ("<length/>", "1: length is no int: ''"),
        ("<label><b>x</b></label>", "1: label holds a value, no elements"),
    ],
)
def test_a_value_of_the_wrong_kind_is_noticed(element: str, mistake: str) -> None:
    assert _mistakes(_FIELD.format(element)) == [mistake]


def test_a_single_element_that_repeats_is_noticed() -> None:
    assert _mistakes(_FIELD.format("<label>a</label><label>b</label>")) == ["1: label stands there twice"]


def test_repeated_elements_that_are_torn_apart_are_noticed() -> None:
    page = f'<CompactLayout xmlns="{METADATA}"><fields>A</fields><label>x</label><fields>B</fields></CompactLayout>'
    assert _mistakes(page) == ["1: fields must stand beside the others of its name"]


def test_a_file_of_no_kind_or_of_another_namespace_is_noticed() -> None:
    assert _mistakes(f'<CustomFeld xmlns="{METADATA}"/>') == ["1: CustomFeld is no kind of metadata"]
    assert _mistakes("<CustomField/>") == ["1: CustomField is no kind of metadata"]


def test_an_element_that_is_newer_than_the_description_passes_once_it_is_listed() -> None:
    newer = etree.fromstring(_FIELD.format("<newcomer>x</newcomer>"))
    assert metadata_schema().mistakes(newer) != []
    assert metadata_schema().mistakes(newer, {"CustomField.newcomer": "its page"}) == []
