"""How does an operator have a Salesforce organisation send its changes here?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from connector.adapters.crm.salesforce.metadata_api import Made, OutboundMessageSpec
from connector.bootstrap import SALESFORCE, Connector, build_connector
from connector.errors import ConfigurationError, CRMError
from connector.ports.ledger import AccountRow
from connector.settings import read_settings

_FLOWS = (
    "cd marketplace/salesforce && node scripts/render.mjs{options} && sf project deploy start --source-dir rendered"
)


@click.group()
def salesforce() -> None:
    """Connect Salesforce organisations."""


@salesforce.command()
@click.option("--account", "external_id", required=True, help="Organisation id, 15 or 18 characters.")
@click.option("--user", required=True, help="Username of the integration user: it sees what we are sent.")
@click.option("--new-secret", is_flag=True, help="Give the address a new secret; the old one holds for a week.")
@click.option("--print", "only_print", is_flag=True, help="Change nothing in Salesforce; print what to click.")
def setup(external_id: str, user: str, *, new_secret: bool, only_print: bool) -> None:
    """Make the outbound messages that tell us of changes, or print the exact clicks that make them."""
    connector = build_connector(read_settings())
    account = _organization(connector, external_id)
    specs = connector.salesforce_messages(account, user, new_secret=new_secret)
    if only_print:
        for line in _clicks(specs):
            click.echo(line)
        click.echo(f"\nThen deploy and activate the flows that send them: {_flows(account)}")
        return
    try:
        made = connector.set_up_salesforce(account, specs)
    except CRMError as error:
        raise ConfigurationError(f"{error}; what to click instead: smsctl salesforce setup --print …") from error
    for each in made:
        click.echo(_told(each))
    click.echo(f"Now deploy the flows that send them: {_flows(account)}")
    if any(each.trouble for each in made):
        raise ConfigurationError("some could not be made; what to click instead: smsctl salesforce setup --print …")


def _organization(connector: Connector, external_id: str) -> AccountRow:
    with connector.ledger.begin(write=False) as uow:
        rows = [row for row in uow.accounts.all() if row.crm == SALESFORCE]
    found = next((row for row in rows if row.external_id[:15] == external_id[:15] and len(external_id) >= 15), None)
    if found is None:
        known = ", ".join(row.external_id for row in rows) or "none yet"
        raise ConfigurationError(f"there is no Salesforce organisation {external_id} here; known are {known}")
    return found


def _told(made: Made) -> str:
    if made.trouble:
        return f"{made.full_name}: not made: {made.trouble}"
    return f"{made.full_name}: {'made' if made.is_new else 'is as it should be'}"


def _clicks(specs: Sequence[OutboundMessageSpec]) -> Iterator[str]:
    yield "In Salesforce, as an administrator, for each of these: Setup, Outbound Messages, New Outbound Message."
    yield "The endpoint holds a secret: copy it, and do not write it down elsewhere."
    for each in specs:
        yield ""
        yield f"Object             {each.object_name}"
        yield f"Name               {each.label}"
        yield f"Unique Name        {each.name}"
        yield f"Description        {each.description}"
        yield f"Endpoint URL       {each.endpoint_url}"
        yield f"User to send as    {each.username}"
        yield "Protected Component, Send Session ID: leave both unticked"
        yield f"Fields to send     {', '.join(each.fields)}"


def _flows(account: AccountRow) -> str:
    """Give the command that makes the flows, as `marketplace/salesforce/README.md` describes it."""
    namespace = account.settings.get("salesforce_namespace")
    return _FLOWS.format(options=f" --namespace {namespace}" if namespace else "")
