"""How does an editor get the JSON Schema of the journey language?"""

from __future__ import annotations

from pathlib import Path

import click

from connector.entrypoints.cli.reference import journey_schema_page


@click.command()
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it there; else it is printed.")
def schema(output: Path | None) -> None:
    """Give the JSON Schema of journey files, for editors that complete and explain YAML."""
    if output is None:
        click.echo(journey_schema_page(), nl=False)
        return
    output.write_text(journey_schema_page(), encoding="utf-8")
    click.echo(output)
