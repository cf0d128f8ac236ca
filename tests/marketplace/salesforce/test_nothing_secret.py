"""Is the package free of what belongs to one organisation only: secrets, ids, addresses, users, people?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.marketplace.salesforce.package import (
    AFTERWARDS,
    METADATA,
    OWNERS,
    PLACEHOLDERS,
    ROOT,
    etree,
    files,
    metadata_files,
    read,
    text_files,
    texts,
)

_HOSTS = re.compile(r"https?://([A-Za-z0-9.-]+)")
_HARMLESS = frozenset(
    {
        "soap.sforce.com",  # names the metadata's vocabulary, is never called
        "login.salesforce.com",  # everybody's login page
        "github.com",  # a vendor's page, in a comment
        "sms.example.com",  # reserved for documentation (RFC 2606)
        "sms-connector.invalid",  # never resolves (RFC 2606)
    }
)
_ORGANISATION = re.compile(r"\b00D[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?\b")
_TOKEN = re.compile(r"\b(?:3MVG9|5Aep|6Cel)\w{8,}|\bBearer [A-Za-z0-9._-]{8,}|-----BEGIN")
_NUMBER = re.compile(r"\+\d{8,15}")
_FICTION = re.compile(r"\+120255501\d\d|\+447700900\d{3}")
_FILES = text_files()


@pytest.mark.parametrize("path", _FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_holds_nothing_of_one_organisation(path: Path) -> None:
    told = path.read_text(encoding="utf-8")
    assert set(_HOSTS.findall(told)) <= _HARMLESS
    assert _ORGANISATION.findall(told) == []
    assert _TOKEN.findall(told) == []
    assert [number for number in _NUMBER.findall(told) if not _FICTION.fullmatch(number)] == []


def test_what_is_looked_for_would_be_found() -> None:
    assert _HOSTS.findall("at https://acme.my.salesforce.com/x") == ["acme.my.salesforce.com"]
    assert _ORGANISATION.findall("id 00D" + "5" * 12) == ["00D" + "5" * 12]
    assert _TOKEN.findall("Bearer " + "abc" * 5)
    assert not _FICTION.fullmatch("+1" + "2" * 10)


def test_no_file_holds_a_key_a_secret_or_a_user() -> None:
    secret = {"consumerKey", "consumerSecret", "certificate", "password", "username", "oauthToken", "oauthLink"}
    for path in metadata_files():
        names = {etree.QName(each).localname for each in read(path).iter()}
        assert names & {*secret, "oauthRefreshToken", "orgScopedExternalApp", "clientCredentialsFlowUser"} == set()


def test_addresses_and_users_of_an_organisation_are_placeholders() -> None:
    for path in files("workflows", root=AFTERWARDS).values():
        told = path.read_text(encoding="utf-8")
        assert set(re.findall(r"<endpointUrl>(.*?)</", told)) == {"{{ endpoint_url }}"}
        assert set(re.findall(r"<integrationUser>(.*?)</", told)) == {"{{ integration_user }}"}
    (app,) = files("extlClntAppGlobalOauthSets", root=OWNERS).values()
    assert "<callbackUrl>{{ callback_url }}</callbackUrl>" in app.read_text(encoding="utf-8")


def test_only_templates_have_placeholders_and_each_is_known() -> None:
    used = set()
    for path in metadata_files():
        found = re.findall(r"{{ *(\w+) *}}", path.read_text(encoding="utf-8"))
        assert bool(found) is path.name.endswith(".template"), path.name
        used |= set(found)
    assert used == set(PLACEHOLDERS)


def test_the_credential_leads_nowhere_until_an_admin_says_where() -> None:
    (named,) = files("namedCredentials").values()
    values = [value for value in texts(read(named), "namedCredentialParameters/parameterValue") if value]
    assert values == ["https://sms-connector.invalid"]


def test_the_salesforce_command_line_leaves_templates_and_tests_alone() -> None:
    ignored = (ROOT / ".forceignore").read_text(encoding="utf-8").splitlines()
    assert {"**/*.template", "**/__tests__/**"} <= set(ignored)


def test_the_lock_file_names_no_registry() -> None:
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "registry." not in lock
    assert '"integrity"' in lock


def test_metadata_is_in_one_namespace() -> None:
    assert {etree.QName(read(path)).namespace for path in metadata_files()} == {METADATA}
