"""Would HubSpot take the project's files?

`hs project validate` needs an account, so the files are held against schemas of our own, written after
developers.hubspot.com/docs/apps/developer-platform (configuration references) and HubSpot's own project templates.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # publishes no stubs of its own

from tests.marketplace.hubspot.project import APP, HOST, PROJECT, component, components, read, sources

SCHEMAS = {path.stem: read(path) for path in sorted((Path(__file__).parent / "schemas").glob("*.json"))}
# Where HubSpot looks for a kind of component; there is one app, one set of webhooks and one settings page.
FOLDERS = {
    "app": ".",
    "webhooks": "webhooks",
    "workflow-action": "workflow-actions",
    "card": "cards",
    "settings": "settings",
}
LONGEST_UID = 64


def _complaints(kind: str, held: dict[str, Any]) -> list[str]:
    found = Draft202012Validator(SCHEMAS[kind]).iter_errors(held)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("path", components(), ids=lambda path: path.name)
def test_a_component_is_as_hubspot_wants_it(path: Path) -> None:
    held = read(path)
    assert _complaints(held["type"], held) == []
    assert path.parent == (APP / FOLDERS[held["type"]]).resolve()


def test_the_project_file_is_as_hubspot_wants_it() -> None:
    assert _complaints("hsproject", read(PROJECT / "hsproject.json")) == []


def test_there_is_one_of_each_kind_and_a_card_for_each_place() -> None:
    kinds = [held["type"] for held in components().values()]
    assert sorted(kinds) == ["app", "card", "card", "settings", "webhooks", "workflow-action"]
    places = {held["config"]["location"] for held in components().values() if held["type"] == "card"}
    assert places == {"crm.record.tab", "crm.record.sidebar"}


def test_names_are_unique_and_not_too_long() -> None:
    uids = [held["uid"] for held in components().values()]
    assert len(set(uids)) == len(uids)
    assert max(map(len, uids)) <= LONGEST_UID


def test_what_hubspot_is_to_start_is_there() -> None:
    for path, held in components().items():
        if entrypoint := held["config"].get("entrypoint"):
            started = PROJECT / "src" / entrypoint.removeprefix("/")
            assert started.is_file(), path
            assert "hubspot.extend" in started.read_text(encoding="utf-8")
            assert (started.parent / "package.json").is_file(), "HubSpot installs packages per folder"


def test_every_address_is_on_the_host_that_is_replaced() -> None:
    for path in sources():
        addresses = re.findall(r"https?://[^\s\"'`)]*", path.read_text(encoding="utf-8"))
        assert [each for each in addresses if not each.startswith(HOST)] == [], path


def test_the_card_may_fetch_from_the_connector_and_nowhere_else() -> None:
    assert component("app")["permittedUrls"] == {"fetch": [HOST], "iframe": [], "img": []}


def test_nothing_uploaded_holds_a_secret() -> None:
    secret = re.compile(r"client_?secret|api_?key|hapikey|access_?token|pat-(na|eu)\d|password", re.IGNORECASE)
    assert [str(path) for path in sources() if secret.search(path.read_text(encoding="utf-8"))] == []


def test_what_both_folders_share_imports_no_package() -> None:
    """HubSpot installs packages for `cards` and `settings` only."""
    imported = re.compile(r"from \"([^\"]+)\"")
    for path in (APP / "shared").iterdir():
        assert all(each.startswith("./") for each in imported.findall(path.read_text(encoding="utf-8"))), path


def test_both_folders_ask_for_the_packages_that_are_tested() -> None:
    tested = read(PROJECT / "package.json")["devDependencies"]
    for folder in ("cards", "settings"):
        asked = read(APP / folder / "package.json")
        for name, version in {**asked["dependencies"], **asked["devDependencies"]}.items():
            assert tested[name] == version, f"{folder}: {name}"


def test_the_lock_names_no_registry() -> None:
    assert "omit-lockfile-registry-resolved=true" in (PROJECT / ".npmrc").read_text(encoding="utf-8")
    packages = read(PROJECT / "package-lock.json")["packages"].values()
    assert [each["resolved"] for each in packages if "://" in each.get("resolved", "")] == []


def _with(held: dict[str, Any], *path: Any, **put: Any) -> dict[str, Any]:
    """Give a copy in which what is at `path` is `put["to"]`, or gone."""
    changed = copy.deepcopy(held)
    inner: Any = changed
    for name in path[:-1]:
        inner = inner[name]
    if put:
        inner[path[-1]] = put["to"]
    else:
        del inner[path[-1]]
    return changed


_SUBSCRIBED = ("config", "subscriptions", "crmObjects", 0)
_MISTAKES: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "a misspelt key": ("app", ("config", "permitedUrls"), {"to": {}}),
    "an address without TLS": ("app", ("config", "auth", "redirectUrls"), {"to": ["http://sms.example.com/x"]}),
    "no `oauth` among the scopes": ("app", ("config", "auth", "requiredScopes"), {"to": ["tickets"]}),
    "a name that is too long": ("card", ("uid",), {"to": "x" * 65}),
    "a place that is none": ("card", ("config", "location"), {"to": "crm.record.middle"}),
    "two places": ("card", ("config", "location"), {"to": ["crm.record.tab", "crm.record.sidebar"]}),
    "too few requests at once": ("webhooks", ("config", "settings", "maxConcurrentRequests"), {"to": 5}),
    "a query in the target": ("webhooks", ("config", "settings", "targetUrl"), {"to": "https://sms.example.com/x?y=1"}),
    "a slash at the target's end": (
        "webhooks",
        ("config", "settings", "targetUrl"),
        {"to": "https://sms.example.com/x/"},
    ),
    "a property that cannot be watched": (
        "webhooks",
        _SUBSCRIBED,
        {
            "to": {
                "subscriptionType": "object.propertyChange",
                "objectType": "contact",
                "propertyName": "hs_lastmodifieddate",
                "active": True,
            }
        },
    ),
    "a subscription that is off": ("webhooks", (*_SUBSCRIBED, "active"), {"to": False}),
    "options and an address for them": (
        "workflow-action",
        ("config", "inputFields", 0, "typeDefinition", "optionsUrl"),
        {"to": "https://sms.example.com/x"},
    ),
    "no English": ("workflow-action", ("config", "labels", "en"), {}),
    "an output that HubSpot keeps for itself": (
        "workflow-action",
        ("config", "outputFields", 1, "typeDefinition", "name"),
        {"to": "hs_execution_state"},
    ),
    "an entrypoint outside": ("settings", ("config", "entrypoint"), {"to": "SettingsPage.tsx"}),
}


@pytest.mark.parametrize("mistake", _MISTAKES)
def test_a_mistake_is_noticed(mistake: str) -> None:
    kind, path, put = _MISTAKES[mistake]
    good = next(held for held in components().values() if held["type"] == kind)
    assert _complaints(kind, _with(good, *path, **put)) != []
