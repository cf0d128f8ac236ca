"""What surrounds a decision: whose clock, which calendar, which codes, which arms, which habits?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from connector.domain.compliance import Compliance
from connector.domain.habits import Habits
from connector.domain.journey import Journey
from connector.domain.msisdn import normalise
from connector.domain.send_window import ANYTIME, SendWindow
from connector.domain.step_order import StepOrder, order_of
from connector.domain.steps import Split, Wait
from connector.domain.surroundings import ArmStanding, Surroundings
from connector.errors import InvalidNumberError
from connector.ports.calendar import Calendar
from connector.ports.codes import Codes
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.ports.rendering import Renderer
from connector.services.message_making import Setting, zones_of

_KEPT = 4096  # numbers whose country is remembered: reading one takes longer than a whole decision


@dataclass(frozen=True, slots=True)
class SurroundingsReader:
    """Gathers what a decision about one contact in one journey may ask; reads only what the journey can ask for."""

    renderer: Renderer
    calendar: Calendar
    codes: Codes
    compliance: Compliance
    courtesies: frozenset[str] = frozenset()

    def of(self, uow: UnitOfWork, setting: Setting, secret_ids: Mapping[str, str]) -> Surroundings:
        """Read what surrounds a decision; `secret_ids` names, by key, the secret a code in flight was made with."""
        contact, journey = setting.contact, setting.journey
        waits_for_best = _waits_for_best(order_of(journey.steps))
        return Surroundings(
            self.renderer.evaluate,
            zones=zones_of(setting.account, journey, contact.time_zone, contact.msisdn),
            country=contact.country or _region(contact.msisdn),
            is_business_day=self.calendar.is_business_day,
            code_for=self._code_for(secret_ids),
            arms=_arms(uow, setting),
            courtesies=self.courtesies,
            habits=uow.habits.of(contact.account_id, contact.id, contact.country) if waits_for_best else Habits(),
            window=self._window(journey, _region(contact.msisdn)) if waits_for_best else ANYTIME,
        )

    def of_staff(self, account: AccountRow) -> Surroundings:
        """Give the clock and the calendar of the people who work with an account."""
        zone, region = account.settings.get("time_zone"), account.settings.get("default_region")
        return Surroundings(
            self.renderer.evaluate,
            zones=(str(zone),) if zone else (),
            country=str(region) if region else None,
            is_business_day=self.calendar.is_business_day,
        )

    def _code_for(self, secret_ids: Mapping[str, str]) -> Callable[[str, int], str]:
        return lambda key, length: self.codes.code(key, length, secret_ids.get(key, ""))

    def _window(self, journey: Journey, region: str | None) -> SendWindow:
        return self.compliance.window(journey.window, journey.purpose, region)


def _waits_for_best(order: StepOrder) -> bool:
    return Wait in order.kinds and any(isinstance(step, Wait) and step.best_within for step in order.steps.values())


def _arms(uow: UnitOfWork, setting: Setting) -> Mapping[str, ArmStanding]:
    if Split not in order_of(setting.journey.steps).kinds:
        return {}
    return uow.splits.standing(setting.account.id, setting.journey.id, setting.contact.id)


@lru_cache(maxsize=_KEPT)
def _region(msisdn: str | None) -> str | None:
    """Give the country of a number; None for one that is missing, unusable, or of no country (such as +883)."""
    if msisdn is None:
        return None
    try:
        region = normalise(msisdn, []).region
    except InvalidNumberError:
        return None
    return region if len(region) == 2 else None
