"""What the tests of the pretend Salesforce share: an org, its address and how a refusal is read."""

from typing import Any

import httpx

from connector.sandbox.salesforce.world import SalesforceWorld

ORG = "00D000000000001EAA"
OTHER_ORG = "00D000000000002EAA"
ADMIN = "admin@acme.example"
OTHER_ADMIN = "admin@globex.example"
APP, SECRET, BACK = "app", "hush", "http://localhost/back"
DATA = "/services/data/v68.0"


def refusal(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The one error of a call that is refused: a list with `message` and `errorCode`."""
    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"]) == (status, code)
    assert error["message"]
    told: dict[str, Any] = error
    return told


def row_error(row: dict[str, Any]) -> str:
    """The status code of a collection's row that failed."""
    assert row["success"] is False
    assert "id" not in row
    (error,) = row["errors"]
    assert set(error) == {"statusCode", "message", "fields"}
    return str(error["statusCode"])


def query(api: httpx.Client, soql: str, path: str = "query") -> list[dict[str, Any]]:
    """The records a statement finds."""
    answer = api.get(f"{DATA}/{path}/", params={"q": soql})
    assert answer.status_code == 200, answer.text
    records: list[dict[str, Any]] = answer.json()["records"]
    return records


def record(object_name: str, **fields: Any) -> dict[str, Any]:
    """A row of a collection."""
    return {"attributes": {"type": object_name}, **fields}


def move(world: SalesforceWorld, deal: str, stage: str = "Qualification") -> None:
    """Move an opportunity to another stage, as a person does."""
    world.update(ORG, "Opportunity", deal, {"StageName": stage})
