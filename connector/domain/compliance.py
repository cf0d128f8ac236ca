"""Which hours, caps and consent does a purpose ask for in a reader's country?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from connector.domain.caps import Cap
from connector.domain.send_window import ANYTIME, SendWindow
from connector.errors import ConfigurationError

DEFAULT_COUNTRY = "default"
"""Key of the row for countries without one of their own, and for readers whose country nobody knows."""


@dataclass(frozen=True, slots=True)
class WindowRow:
    """The hours of one purpose in one country.

    Attributes:
        window: the hours.
        source: statute, charter or "own proposal": why these hours.
        checked_on: when a person last compared them with the source.
    """

    window: SendWindow
    source: str
    checked_on: date


MOST_SEGMENTS = 6
"""SMS that one text may take. Our own proposal: more are seldom read to the end, and carriers refuse ten."""


@dataclass(frozen=True, slots=True)
class PurposeRule:
    """What one purpose asks for.

    Attributes:
        rows: a row per ISO 3166 country, and always one under "default".
        most_segments: SMS that one text may take before a check warns of it.
    """

    needs_consent: bool
    caps: tuple[Cap, ...]
    rows: Mapping[str, WindowRow]
    most_segments: int = MOST_SEGMENTS


@dataclass(frozen=True, slots=True)
class FatigueRule:
    """Fewer marketing texts for a number that has stopped answering.

    Attributes:
        after: so many marketing texts in a row without a reply or a click.
        within: how far back those texts count.
        caps: what holds from then on, until an answer comes.
    """

    after: int
    within: timedelta
    caps: tuple[Cap, ...]


@dataclass(frozen=True, slots=True)
class Compliance:
    """The rules of `mappings/compliance.yaml`: windows by name, a rule per purpose, and what holds over all of them.

    Attributes:
        overall: caps per number over all journeys and purposes, but for one-time codes and answers to keywords.
        fatigue: the rule for those who do not answer; None when there is none.
    """

    windows: Mapping[str, SendWindow]
    purposes: Mapping[str, PurposeRule]
    overall: tuple[Cap, ...] = ()
    fatigue: FatigueRule | None = None

    def window(self, name: str | None, purpose: str, country: str | None) -> SendWindow:
        """Return the window a journey or step names, else the purpose's in the reader's country.

        A name that has been taken out of the file since the text was made means the purpose's hours too, and the
        window's name then says so: a text must neither stop the others nor go out at any hour.
        """
        if name == ANYTIME.name:
            return ANYTIME
        usual = self.window_for(purpose, country)
        if not name:
            return usual
        if name not in self.windows:
            return replace(usual, name=f"{usual.name} (since there is no window {name} any more)")
        return self.windows[name]

    def window_for(self, purpose: str, country: str | None) -> SendWindow:
        """Return the hours of a purpose in a country (ISO 3166, any case; None when unknown)."""
        return self.row_for(purpose, country).window

    def row_for(self, purpose: str, country: str | None) -> WindowRow:
        """Return the same with its source and the day it was last checked, for the trace."""
        rows = self._rule(purpose).rows
        return rows.get((country or "").upper()) or rows[DEFAULT_COUNTRY]

    def caps_for(self, purpose: str) -> tuple[Cap, ...]:
        """Return the caps that hold per number for all texts of a purpose."""
        return self._rule(purpose).caps

    def needs_consent(self, purpose: str) -> bool:
        """Say whether a text of this purpose needs a recorded consent."""
        return self._rule(purpose).needs_consent

    def _rule(self, purpose: str) -> PurposeRule:
        if purpose not in self.purposes:
            raise ConfigurationError(f"compliance.yaml has no rule for the purpose {str(purpose)!r}")
        return self.purposes[purpose]
