"""What may be published, by whom, and what came of it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from connector.domain.journey import Journey
from connector.errors import ConfigurationError
from connector.services.moving_people import Moved, StepMap


@dataclass(frozen=True, slots=True)
class JourneyFiles:
    """What the journey folder holds.

    Attributes:
        journeys: those without a mistake, by id.
        broken: of those that have one, by id, the first: `file:line:column: path: what is wrong`.
    """

    journeys: Mapping[str, Journey]
    broken: Mapping[str, str] = field(default_factory=dict)

    def demand(self, names: Sequence[str]) -> None:
        """Refuse names that no file has, and an empty folder, which would take everything out of service.

        Raises:
            ConfigurationError: says what there is.
        """
        known = sorted({*self.journeys, *self.broken})
        if not known:
            raise ConfigurationError("there is no journey file; take a journey out of service with: smsctl retire")
        for name in names:
            if name not in known:
                raise ConfigurationError(f"there is no journey file {name}.yaml; there are {', '.join(known)}")

    def only(self, names: Sequence[str]) -> JourneyFiles:
        """Leave out all but these; nothing when none is named."""
        if not names:
            return self
        return JourneyFiles(
            {name: journey for name, journey in self.journeys.items() if name in names},
            {name: mistake for name, mistake in self.broken.items() if name in names},
        )


class Word(StrEnum):
    """What became of one journey."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    OWN = "own"  # the account runs a version from files of its own
    WITHHELD = "withheld"  # it was taken back before, and the file still says the same
    BROKEN = "broken"
    RETIRED = "retired"
    ROLLED_BACK = "rolled back"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one journey in one account.

    Attributes:
        version: number of the version in service now; None when none is.
        why: more for people, or empty.
        moved: what became of people in flight, where they were to be moved.
        warnings: what the person who publishes should know.
    """

    journey: str
    word: Word
    version: int | None = None
    why: str = ""
    moved: Moved | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hand:
    """Who publishes, and how.

    Attributes:
        moves: old step ids and the new ones that people in flight move to; None leaves them on their version, an
            empty mapping moves them by their steps' own ids.
        is_dry_run: tell what would happen, and do nothing.
        replaces_own: let the shared journeys that are named take the place of the account's own.
        saw: number of the version that whoever acts has seen in service, 0 for none: another one, which somebody put
            in meanwhile, is not replaced unseen. None acts whatever is in service.
    """

    by: str
    moves: StepMap | None = None
    is_dry_run: bool = False
    replaces_own: bool = False
    saw: int | None = None


class MeanwhileError(ConfigurationError):
    """Another version is in service than whoever acts has seen; nothing was changed."""
