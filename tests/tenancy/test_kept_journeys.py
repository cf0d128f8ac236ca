"""Is a journey that a process has read for one account given to that account only?"""

from __future__ import annotations

from connector.adapters.journey_files import journey_from_source
from connector.adapters.memory.ledger import MemoryLedger
from connector.services.journey_versions import JourneyVersions
from tests.tenancy.filling import fill
from tests.tenancy.owners import ALDER, BIRCH, OWN


def test_a_version_that_was_read_for_its_account_is_given_to_no_other() -> None:
    ledger = MemoryLedger()
    version = fill(ledger)[BIRCH.hubspot.account_id, OWN].version
    versions = JourneyVersions(lambda _journey, source: journey_from_source(source))
    assert version is not None
    with ledger.begin(write=False) as uow:
        assert versions.get(uow, ALDER.hubspot.account_id, version.id) is None
        found = versions.get(uow, BIRCH.hubspot.account_id, version.id)
        assert found is not None
        assert found.journey is not None
        assert versions.get(uow, ALDER.hubspot.account_id, version.id) is None
