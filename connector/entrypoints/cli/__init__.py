"""Which commands does `smsctl` have?"""

from __future__ import annotations

import sys

import click

from connector.entrypoints.cli import (
    accounts,
    api_keys,
    backtest_command,
    comparing,
    dead_letters,
    demo_command,
    imports,
    ledger,
    lookups,
    preview_command,
    processes,
    providers,
    publishing,
    reference_command,
    report,
    routing,
    salesforce,
    sandbox,
    schema_command,
    simulate_command,
    streams,
    texts,
    webhooks,
)
from connector.errors import ConnectorError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Run and operate the SMS connector. Settings come from the environment; see docs/reference/settings.md."""


for _command in (
    ledger.migrate,
    ledger.check,
    preview_command.preview,
    simulate_command.simulate,
    backtest_command.backtest,
    ledger.status,
    publishing.publish,
    publishing.export,
    publishing.rollback,
    publishing.retire,
    publishing.release,
    comparing.diff,
    comparing.versions,
    processes.web,
    processes.worker,
    processes.clock,
    processes.smpp,
    streams.streams,
    texts.send,
    texts.explain,
    dead_letters.dlq,
    providers.provider,
    routing.route,
    lookups.lookup,
    report.report,
    accounts.account,
    salesforce.salesforce,
    api_keys.api_key,
    webhooks.webhook,
    imports.import_,
    sandbox.sandbox,
    demo_command.demo,
    schema_command.schema,
    reference_command.docs,
):
    cli.add_command(_command)


def main() -> None:
    """Run a command; what we raise on purpose becomes one message per line and exit status 1, never a traceback."""
    try:
        cli.main()
    except ConnectorError as error:
        for line in str(error).splitlines():
            click.echo(f"smsctl: {line}", err=True)
        sys.exit(1)
