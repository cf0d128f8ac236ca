"""How is an installation made in which both tenants live, beside the CRMs they sit in?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.adapters.store.tables import metadata
from connector.bootstrap import Connector
from connector.settings import read_settings
from tests.entrypoints.environment import set_environment
from tests.entrypoints.operated import ROOT, VENDORS
from tests.tenancy.filling import fill
from tests.tenancy.keeping import Kept, Ledgerful
from tests.tenancy.outside import HUBSPOT_APP, HUBSPOT_SECRET, SALESFORCE_APP, SALESFORCE_SECRET, Outside
from tests.tenancy.owners import ALDER, BIRCH, OWN, Owner
from tests.tenancy.telling import belongings

PASSWORD = "the-operators-password"

_APPS = {
    "HUBSPOT_CLIENT_ID": HUBSPOT_APP,
    "HUBSPOT_CLIENT_SECRETS": HUBSPOT_SECRET,
    "SALESFORCE_CLIENT_ID": SALESFORCE_APP,
    "SALESFORCE_CLIENT_SECRETS": SALESFORCE_SECRET,
    "START_PAGE_PASSWORD": PASSWORD,
    "TWILIO_API_URL": "http://127.0.0.1:9",  # nobody is there
}


@dataclass(frozen=True)
class House:
    """An installation with both tenants in it."""

    connector: Connector
    rows: Ledgerful
    world: Outside

    def kept(self, owner: Owner, key: str = OWN) -> Kept:
        return self.rows[owner.account_id, key]

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Change nothing of Birch's meanwhile, and ask no CRM with a token of theirs."""
        self.world.heard.clear()
        before = belongings(self.connector.ledger, BIRCH)
        yield
        assert belongings(self.connector.ledger, BIRCH) == before
        asked_for = {self.world.owner_of(each.token) for each in self.world.heard}
        assert asked_for <= {owner.account_id for owner in ALDER.owners}


@contextmanager
def house(world: Outside, folder: Path, redis_url: str, patch: pytest.MonkeyPatch) -> Iterator[House]:
    """Open an installation in a folder, whose settings stand in the environment as long as `patch` holds."""
    for name in ("mappings", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    set_environment(patch, folder, redis_url, **VENDORS, **_APPS, **world.urls)
    connector = Connector(read_settings())
    metadata.create_all(connector.ledger.engine)
    made = House(connector, fill(connector.ledger), world)
    world.hand_out_tokens(connector.ledger)
    yield made
    connector.committer.close()
    connector.ledger.close()
