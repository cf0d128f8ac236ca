"""Whom does an e-mail address in another system's webhook mean in an organisation?"""

from __future__ import annotations

from datetime import timedelta

from connector.domain.webhook_sources import NamedBy, PersonName
from connector.services.people_finding import PeopleFinder
from tests.adapters.crm.salesforce.conftest import ORG, Salesforce

MAYA = PersonName(NamedBy.EMAIL, "Maya@example.com")


def found(salesforce: Salesforce) -> tuple[str, ...]:
    finder = PeopleFinder(salesforce.crm, salesforce.account, "Email")
    return finder.find([[MAYA]])[MAYA]


def test_a_lead_is_found_by_its_address_as_a_contact_is(salesforce: Salesforce) -> None:
    lead = salesforce.lead(Email="maya@example.com")
    salesforce.lead(Email="jonah@example.com")
    assert found(salesforce) == (lead,)


def test_of_a_contact_and_a_lead_with_an_address_the_one_changed_last_comes_first(salesforce: Salesforce) -> None:
    contact, lead = salesforce.contact(Email="maya@example.com"), salesforce.lead(Email="maya@example.com")
    for object_name, person in (("Contact", contact), ("Lead", lead), ("Contact", contact)):
        salesforce.clock.advance(timedelta(minutes=1))
        salesforce.world.update(ORG, object_name, person, {"FirstName": "Maya"})
        assert found(salesforce)[0] == person
    assert set(found(salesforce)) == {contact, lead}
