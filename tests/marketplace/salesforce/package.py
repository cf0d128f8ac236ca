"""Where is what in the Salesforce package, and what do its templates become for an organisation?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

etree = pytest.importorskip("lxml.etree", reason="the package's metadata is read with lxml, of the extra `salesforce`")

ROOT = Path(__file__).parents[3] / "marketplace/salesforce"
SHIPPED = ROOT / "force-app/main/default"
AFTERWARDS = ROOT / "post-install/main/default"
POLICIES = ROOT / "policies/main/default"
OWNERS = ROOT / "dev-hub/main/default"
COMPONENTS = SHIPPED / "lwc"
CLASSES = SHIPPED / "classes"

METADATA = "http://soap.sforce.com/2006/04/metadata"
PLACEHOLDERS = {
    "endpoint_url": "https://sms.example.com/salesforce/outbound-messages/not-a-secret",
    "integration_user": "sms@example.com",
    "callback_url": "https://sms.example.com/install/salesforce/callback",
    "invoice_object": "Invoice__c",
    "invoice_status_field": "Status__c",
    "invoice_due_field": "Due_Date__c",
    "invoice_balance_field": "Balance__c",
}
"""Everything that is each organisation's own, with what a test puts there."""

_PLACEHOLDER = re.compile(r"{{ ([a-z_]+) }}")


def metadata_files() -> list[Path]:
    """Give every metadata file of the package, templates too."""
    return sorted([*_sources("*-meta.xml"), *_sources("*-meta.xml.template")])


def _sources(pattern: str) -> Iterator[Path]:
    for folder in (SHIPPED, AFTERWARDS, POLICIES, OWNERS):
        yield from folder.rglob(pattern)


def text_files() -> list[Path]:
    """Give every file that a person wrote: no installed packages, no lock file."""
    found = (path for path in ROOT.rglob("*") if path.is_file() and "node_modules" not in path.parts)
    return sorted(path for path in found if path.name != "package-lock.json")


def rendered(path: Path) -> str:
    """Give a file as it is deployed: a template with its placeholders filled in."""
    return _PLACEHOLDER.sub(lambda found: PLACEHOLDERS[found[1]], path.read_text(encoding="utf-8"))


def read(path: Path) -> Any:
    """Give the root element of a metadata file."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    return etree.fromstring(rendered(path).encode(), parser)


def texts(element: Any, path: str) -> list[str]:
    """Give the texts at a path such as `fieldPermissions/field`."""
    steps = "/".join(f"{{{METADATA}}}{step}" for step in path.split("/"))
    return [each.text or "" for each in element.findall(steps)]


def text(element: Any, path: str) -> str:
    """Give the one text at a path."""
    (found,) = texts(element, path)
    return found


def children(element: Any, name: str) -> list[Any]:
    """Give the child elements of a name."""
    return list(element.findall(f"{{{METADATA}}}{name}"))


def name_of(path: Path) -> str:
    """Give the name of a component, such as `SMS_Case_Changed` of `SMS_Case_Changed.flow-meta.xml`."""
    return re.sub(r"\.[A-Za-z]+-meta\.xml(\.template)?$", "", path.name)


def files(folder: str, *, root: Path = SHIPPED) -> dict[str, Path]:
    """Give the metadata files of a folder by name."""
    return {name_of(path): path for path in sorted((root / folder).glob("*-meta.xml*"))}
