"""How is the process started that listens to streams of changes?"""

from __future__ import annotations

import click

from connector.bootstrap import build_connector
from connector.entrypoints.cli.processes import ready_settings
from connector.entrypoints.stopping import StopSignal


@click.command()
def streams() -> None:
    """Listen to Salesforce's Pub/Sub API for accounts with `salesforce_topics`; a second one may stand by."""
    connector = build_connector(ready_settings())
    if not connector.wants_streams():
        click.echo("No account streams its changes; set salesforce_topics for one first: smsctl account set …")
        return
    stop = StopSignal()
    keeper = connector.stream_keeper
    click.echo("Listening.")
    keeper.run(stop.wait)
    connector.salesforce_streams.close()
