"""What is one scene, and how does it come to its cassette?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import time_machine

from connector.errors import CRMError
from tests.adapters.crm.cassettes import hubspot_scenes, salesforce_scenes
from tests.adapters.crm.cassettes.exchanges import dumped, loaded
from tests.adapters.crm.cassettes.playing import WHEN, recorded, replayed
from tests.adapters.crm.cassettes.scrubbing import Scrubber
from tests.adapters.crm.cassettes.sides import PRETEND, Access, Act, Box, acting, sandbox

FOLDER = Path(__file__).parent
FROM_SANDBOX, FROM_LIVE = "the sandbox", "a live account"
_INDEXED_AFTER = 15.0  # seconds until HubSpot's searches find what was just written, on most days


@dataclass(frozen=True, slots=True)
class Scene:
    """Something that clients do, and what must come of it.

    Attributes:
        play: does it and asserts what came of it; the same for a recording and for its replay.
        arrange: what a sandbox has to go through first; a live account cannot be asked to.
        is_provoked: a live account cannot be asked for it.
        is_oauth: the account has a refresh token.
    """

    crm: str
    name: str
    play: Callable[[Act], None]
    arrange: Callable[[Box], None] | None
    is_provoked: bool
    is_oauth: bool

    def __str__(self) -> str:
        return f"{self.crm}/{self.name}"

    @property
    def path(self) -> Path:
        """Where its cassette is."""
        return FOLDER / self.crm / f"{self.name}.yaml"

    def is_live(self, access: Access) -> bool:
        """Whether this account can be recorded from."""
        is_refreshed = self.is_oauth and self.crm == "hubspot"
        return not self.is_provoked and bool(access.refresh_token or not is_refreshed)

    def from_sandbox(self) -> str:
        """Record it against a sandbox; give the cassette."""
        with time_machine.travel(WHEN, tick=False), sandbox(self.crm) as (access, box):
            if self.arrange is not None:
                self.arrange(box)
            with acting(access, is_oauth=self.is_oauth) as act:
                said = recorded(lambda: self.play(act))
            return dumped(Scrubber(access.known(words_of(self.crm))).scrub(said), FROM_SANDBOX)

    def from_live(self, access: Access) -> str:
        """Record it against a live account, and leave nothing behind there; give the cassette."""
        with acting(access, is_oauth=self.is_oauth) as act:
            act.settle = lambda: time.sleep(_INDEXED_AFTER)
            try:
                said = recorded(lambda: self.play(act))
            finally:
                for made in reversed(act.made):
                    with suppress(CRMError):
                        _MODULES[self.crm].remove(act, *made)
        return dumped(Scrubber(access.known(words_of(self.crm))).scrub(said), FROM_LIVE)

    def replay(self) -> None:
        """Play it against its cassette."""
        _, exchanges = loaded(self.path.read_text(encoding="utf-8"))
        with time_machine.travel(WHEN, tick=False), acting(PRETEND[self.crm], is_oauth=self.is_oauth) as act:
            replayed(lambda: self.play(act), exchanges)


_MODULES: Mapping[str, Any] = {"hubspot": hubspot_scenes, "salesforce": salesforce_scenes}


def words_of(crm: str) -> tuple[str, ...]:
    """Give what the scenes of a CRM write."""
    words: tuple[str, ...] = _MODULES[crm].WORDS
    return words


def _scenes(crm: str) -> list[Scene]:
    module = _MODULES[crm]
    plays: Mapping[str, Callable[[Act], None]] = {
        name: play for name, play in vars(module).items() if name.startswith("scene_")
    }
    return [
        Scene(
            crm=crm,
            name=name.removeprefix("scene_"),
            play=play,
            arrange=module.ARRANGED.get(name),
            is_provoked=name in module.ARRANGED.keys() - module.LIVE_ALL_THE_SAME,
            is_oauth=module.OAUTH is None or name in module.OAUTH,
        )
        for name, play in plays.items()
    ]


SCENES = tuple(scene for crm in _MODULES for scene in _scenes(crm))
