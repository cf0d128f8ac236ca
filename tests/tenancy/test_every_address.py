"""Does any address give or change what is another tenant's, whoever's credentials and ids are shown?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from connector.adapters.store.tables import metadata
from connector.bootstrap import Connector
from connector.entrypoints.web.app import create_app
from connector.settings import read_settings
from tests.adapters.crm.salesforce.test_salesforce_outbound_messages import delivery, notification
from tests.entrypoints.environment import set_environment
from tests.entrypoints.operated import ROOT, VENDORS
from tests.tenancy.doors import DOORS, PASSWORD, PUBLIC, Visit, come_in, doors, hubspot, may_visit, paths
from tests.tenancy.filling import Kept, Ledgerful, account_secret, fill
from tests.tenancy.outside import HUBSPOT_APP, HUBSPOT_SECRET, SALESFORCE_APP, SALESFORCE_SECRET, Outside, outside
from tests.tenancy.owners import ALDER, BIRCH, OWN, SHARED, Owner
from tests.tenancy.telling import belongings, leaked

APPS = {
    "HUBSPOT_CLIENT_ID": HUBSPOT_APP,
    "HUBSPOT_CLIENT_SECRETS": HUBSPOT_SECRET,
    "SALESFORCE_CLIENT_ID": SALESFORCE_APP,
    "SALESFORCE_CLIENT_SECRETS": SALESFORCE_SECRET,
    "START_PAGE_PASSWORD": PASSWORD,
    "TWILIO_API_URL": "http://127.0.0.1:9",  # nobody is there
}


@dataclass
class House:
    """An installation with both tenants in it."""

    connector: Connector
    app: Flask
    client: FlaskClient
    rows: Ledgerful
    world: Outside

    def kept(self, owner: Owner, key: str = OWN) -> Kept:
        return self.rows[owner.account_id, key]


@pytest.fixture(scope="module")
def house(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("tenancy")
    for name in ("mappings", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    with outside() as world:
        with pytest.MonkeyPatch.context() as patch:
            set_environment(patch, folder, redis_url, **VENDORS, **APPS, **world.urls)
            connector = Connector(read_settings())
        metadata.create_all(connector.ledger.engine)
        app = create_app(connector)
        house = House(connector, app, app.test_client(), fill(connector.ledger), world)
        world.hand_out_tokens(connector.ledger)
        yield house
        connector.committer.close()
        connector.ledger.close()


def test_every_address_is_known(house: House) -> None:
    assert {name for name, _ in doors(house.app)} == set(DOORS)


@pytest.mark.parametrize("name", DOORS)
def test_x(house: House, name: str) -> None:
    before = belongings(house.connector.ledger, BIRCH)
    seen = {}
    for rule in (rule for found, rule in doors(house.app) if found == name):
        for visitor in ALDER.owners:
            if not may_visit(name, visitor): continue
            for theirs in BIRCH.owners:
                for key in (OWN, SHARED):
                    kept = house.kept(theirs, key)
                    for path in paths(house.app, rule, sorted(set(kept.ids()) | {theirs.account_id, theirs.external_id})):
                        for asked, answer in come_in(house.connector, house.client, visitor, name, path, kept):
                            said = answer.get_data(as_text=True) + str(answer.headers)
                            l = leaked(BIRCH, said, asked=asked)
                            seen.setdefault((key, answer.status_code, tuple(sorted(l))), (asked[:150], said[:200]))
    ch = belongings(house.connector.ledger, BIRCH) != before
    bad = [h for h in house.world.heard if not house.world.owner_of(h.token).startswith("alder")]
    if bad: seen[("own",0,("calls",))]=bad[:2]
    house.world.heard.clear()
    with open("/tmp/b5/h10_doors.txt","a") as f:
        for k,v in sorted(seen.items()):
            bad = ch or k[2] or (k[0]==OWN and k[1] not in DOORS[name].answers)
            print("BAD" if bad else "ok", name, k, "CHANGED" if ch else "", v if bad else "", file=f)
