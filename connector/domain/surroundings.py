"""What may a decision ask, beside the facts and names it was given?

All of it is data or a pure function, so that production, simulation and backtest decide alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from connector.domain.habits import Habits
from connector.domain.places import Expression
from connector.domain.send_window import ANYTIME, SendWindow


class Evaluate(Protocol):
    """Gives the value of an expression."""

    def __call__(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """Evaluate with these names.

        Raises:
            ConditionError: an undefined name, or a value of the wrong kind.
        """
        ...


@dataclass(frozen=True, slots=True)
class ArmStanding:
    """What is known of one split for one contact.

    Attributes:
        assigned: the arm this contact has been in before, or None.
        winner: the arm that has won, or None while it is still being tried.
    """

    assigned: str | None = None
    winner: str | None = None


def _weekday(day: date, country: str | None) -> bool:  # noqa: ARG001 - without a calendar every country is alike
    return day.weekday() < 5


def _no_code(key: str, length: int) -> str:
    raise LookupError(f"no codes can be made here ({key}, {length} digits)")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What surrounds one decision.

    Attributes:
        evaluate: gives the value of an expression.
        zones: IANA zones of the recipient's clock; several when it is not known which one it is, none when nothing is.
        country: ISO 3166 country of the recipient, for its public holidays; None when not known.
        is_business_day: whether people work on a date in a country.
        code_for: the one-time code of a key and a length in digits: always the same one, and nobody else's guess.
        arms: by the id of a split step, what is known for this contact.
        courtesies: words around a reply's keyword that change nothing, as `wording.words` gives them.
        habits: when this contact, and contacts like them, have answered.
        window: the hours in which the journey's texts may go out; for best time.
    """

    evaluate: Evaluate
    zones: tuple[str, ...] = ()
    country: str | None = None
    is_business_day: Callable[[date, str | None], bool] = _weekday
    code_for: Callable[[str, int], str] = _no_code
    arms: Mapping[str, ArmStanding] = field(default_factory=dict)
    courtesies: frozenset[str] = frozenset()
    habits: Habits = field(default_factory=Habits)
    window: SendWindow = ANYTIME
