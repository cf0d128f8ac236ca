"""How are the generated pages written anew?"""

from __future__ import annotations

from pathlib import Path

import click

from connector.entrypoints.cli.reference import write_reference


@click.command()
@click.option("--root", type=click.Path(path_type=Path, exists=True), default=".", help="The project's folder.")
def docs(root: Path) -> None:
    """Write the generated reference pages and app.json."""
    for path in write_reference(root):
        click.echo(path)
