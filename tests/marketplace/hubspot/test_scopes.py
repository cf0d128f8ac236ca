"""Does the app ask for the scopes its calls need, and for no other?"""

from __future__ import annotations

import re

from connector.sandbox.hubspot.object_types import OBJECT_TYPES
from tests.marketplace.hubspot.project import PROJECT, component

ALWAYS = {
    "oauth": "the install",
    "crm.objects.contacts.read": "contacts and their timeline",
    "crm.objects.contacts.write": "communications, tasks, notes and properties of contacts",
    "crm.schemas.contacts.write": "the property group and its properties",
    "crm.objects.owners.read": "GET /crm/owners",
}
"""Needed whatever the mappings say. Scopes by call: developers.hubspot.com, scope lists of the API reference."""

READ = {
    "contact": "crm.objects.contacts.read",
    "deal": "crm.objects.deals.read",
    "ticket": "tickets",
    "invoice": "crm.objects.invoices.read",
    "cart": "crm.objects.carts.read",
    "order": "crm.objects.orders.read",
    "appointment": "crm.objects.appointments.read",
    "commerce_payment": "crm.objects.commercepayments.read",
    "task": "crm.objects.contacts.read",  # what is logged on contacts goes with them
}
"""Reading an object, and hearing of it."""

ACTION = {"automation": "POST /automation/actions/callbacks/…/complete"}

# Accounts that sell nothing in HubSpot lack these objects, accounts below Professional the workflows.
NOT_EVERYWHERE = {READ["cart"], READ["order"], READ["appointment"], READ["commerce_payment"], *ACTION}


def _asked() -> tuple[set[str], set[str]]:
    auth = component("app")["auth"]
    assert auth["conditionallyRequiredScopes"] == []
    return set(auth["requiredScopes"]), set(auth["optionalScopes"])


def test_every_scope_is_needed_by_a_call_and_every_call_has_its_scope() -> None:
    required, optional = _asked()
    objects = {each["objectType"] for each in component("webhooks")["subscriptions"]["crmObjects"]}
    assert required | optional == ALWAYS.keys() | ACTION.keys() | {READ[each] for each in objects}


def test_an_account_that_lacks_an_object_can_install_all_the_same() -> None:
    required, optional = _asked()
    assert optional == NOT_EVERYWHERE
    assert not required & optional


def test_the_scopes_are_those_that_calls_are_refused_without() -> None:
    """The pretend HubSpot answers 403 MISSING_SCOPES without them, and the adapter's tests run against it."""
    for kind in OBJECT_TYPES.values():
        if kind.singular in READ:
            assert kind.read_scope == READ[kind.singular]


def test_the_readme_explains_each_scope() -> None:
    table = (PROJECT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| (required|optional) \| \S.* \|$", table, re.MULTILINE)
    required, optional = _asked()
    assert {scope for scope, kind in rows if kind == "required"} == required
    assert {scope for scope, kind in rows if kind == "optional"} == optional
