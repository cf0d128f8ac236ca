"""Which text do a template's name and some values make, when no journey stands around it?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connector.adapters.rendering import SUFFIX, Rendered, Renderer
from connector.errors import ConditionError
from connector.ports.rendering import LinkMaker

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)+")
"""As journeys name templates: a folder and a file, without dots, so that no name leads out of the folder."""


class TemplateFolder:
    """Renders the templates of a folder by their names; see `connector.ports.rendering.TemplateRenderer`."""

    def __init__(self, templates_dir: Path, renderer: Renderer) -> None:
        self._folder, self._renderer = templates_dir, renderer

    def render(
        self,
        name: str,
        names: Mapping[str, Any],
        *,
        locale: str | None = None,
        time_zone: str | None = None,
        links: LinkMaker | None = None,
    ) -> Rendered:
        """Render a template as the files are now, in the closest locale.

        Raises:
            ConditionError: there is no such template, a name has no value, or the text is empty or too long.
        """
        if not _NAME.fullmatch(name):
            raise ConditionError("a template is named by its folder and file, such as deal-won/thanks")
        return self._renderer.render_template(
            self._sources(name), name, names, locale=locale, time_zone=time_zone, links=links
        )

    def names(self) -> Mapping[str, Sequence[str]]:
        """Give every template there is, by name in order, with the locales it is written in beside the default."""
        found: dict[str, list[str]] = {}
        for path in sorted(self._folder.rglob(f"*{SUFFIX}")):
            name, _, locale = path.name.removesuffix(SUFFIX).partition(".")
            whole = (path.parent / name).relative_to(self._folder).as_posix()
            if _NAME.fullmatch(whole):
                found.setdefault(whole, []).extend([locale] if locale else [])
        return dict(sorted(found.items()))

    def _sources(self, name: str) -> Mapping[str, str]:
        """Read a template in all its languages."""
        path = self._folder / name
        found = sorted(path.parent.glob(f"{path.name}*{SUFFIX}"))
        return {
            str(each.relative_to(self._folder)): each.read_text(encoding="utf-8")
            for each in found
            if each.name.partition(".")[0] == path.name
        }
