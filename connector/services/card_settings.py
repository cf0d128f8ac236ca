"""Which settings and journeys of an account does a card's settings page show, and who may change them?

HubSpot signs who asks, and not whether that is an admin. So the account says who may: the e-mail addresses in its
setting `card_admins`, and whoever installed the app (`installed_by`). Where neither is known the page is read-only. A
program of the account's answers for its own people, as Salesforce does by a permission set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from connector.errors import ConfigurationError, ConnectorError
from connector.ports.ledger import AccountRow, Ledger
from connector.services.card_refusals import CardRefusedError
from connector.services.journey_status import IN_SERVICE, JourneyStatus, of_account
from connector.services.journey_versions import JourneyVersions, is_own
from connector.services.publications import Hand, JourneyFiles
from connector.services.publishing import Publisher

ADMINS = "card_admins"
"""Names the setting that lists who may change settings on the card: e-mail addresses."""

INSTALLER = "installed_by"
"""Names the setting that keeps who installed the app: an e-mail address."""


class SettingMistakesError(ConnectorError):
    """Settings that cannot be; nothing was changed.

    Attributes:
        mistakes: what is wrong, by the setting's name.
    """

    def __init__(self, mistakes: Mapping[str, str]) -> None:
        super().__init__(f"mistakes in {', '.join(sorted(mistakes))}")
        self.mistakes = dict(mistakes)


@dataclass(frozen=True, slots=True)
class SettingShown:
    """One setting there is.

    Attributes:
        kind: how it is asked for, such as `text`, `choice`, `list` or `switch`.
        options: what there is to choose from; empty where anything may be written.
    """

    name: str
    label: str
    kind: str
    options: tuple[str, ...]
    help: str


class SettingsDesk(Protocol):
    """Keeps the settings of accounts by a declared list of them."""

    def shown(self, crm: str) -> Sequence[SettingShown]:
        """Give the settings that accounts of a CRM have."""
        ...

    def values(self, account_id: str) -> Mapping[str, Any]:
        """Give their values in an account, JSON-able; what nobody has set has its default."""
        ...

    def change(self, account_id: str, values: Mapping[str, Any], by: str) -> Mapping[str, str]:
        """Change some, all or none; give what is wrong by name, empty when they are changed."""
        ...


class CardSettings:
    """Shows and changes what an admin of an account may.

    Args of the constructor:
        files: gives the shared journeys as the files are now.
    """

    def __init__(
        self,
        ledger: Ledger,
        desk: SettingsDesk,
        publisher: Publisher,
        versions: JourneyVersions,
        files: Callable[[], JourneyFiles],
    ) -> None:
        self._ledger, self._desk, self._publisher = ledger, desk, publisher
        self._versions, self._files = versions, files

    def shown(self, account_id: str, by: str, *, is_program: bool) -> dict[str, Any]:
        """Give an account's settings and journeys, and whether whoever asks may change them."""
        files, values = self._files(), self._desk.values(account_id)
        with self._ledger.begin(write=False) as uow:
            account = uow.accounts.get(account_id)
            journeys = of_account(uow, self._versions, files, account)
        return {
            "settings": dict(values),
            "schema": [
                {
                    "name": each.name,
                    "label": each.label,
                    "kind": each.kind,
                    "options": list(each.options),
                    "help": each.help,
                }
                for each in self._desk.shown(account.crm)
            ],
            "journeys": [_journey(status, files) for status in journeys],
            "account": {
                "name": str(account.settings.get("name") or account.name),
                "status": account.status,
                "crm": account.crm,
                "external_id": account.external_id,
            },
            "may_change": is_program or is_admin(account, by),
        }

    def change(self, account_id: str, values: Mapping[str, Any], by: str, *, is_program: bool) -> None:
        """Change some settings.

        Raises:
            CardRefusedError: whoever asks may not.
            SettingMistakesError: a value cannot be; nothing was changed.
        """
        self._demand_admin(account_id, by, is_program=is_program)
        mistakes = self._desk.change(account_id, values, _hand(by))
        if mistakes:
            raise SettingMistakesError(mistakes)

    def switch(self, account_id: str, journey: str, by: str, *, is_program: bool, is_on: bool) -> None:
        """Let a journey take people in, or no more; one that is so already stays so.

        Raises:
            CardRefusedError: whoever asks may not, there is no such journey, or its file has a mistake.
        """
        self._demand_admin(account_id, by, is_program=is_program)
        files = self._files()
        with self._ledger.begin(write=False) as uow:
            account = uow.accounts.get(account_id)
            known = {each.journey: each for each in of_account(uow, self._versions, files, account)}
            is_of_account = is_own(uow, account_id, journey)
        if journey not in known:
            raise CardRefusedError("no_such_journey", "there is no such journey")
        if (known[journey].version is not None) == is_on:
            if is_on and known[journey].status != IN_SERVICE:
                raise CardRefusedError("invalid", f"it is {known[journey].status}: its file has to be changed")
            return
        try:
            self._put(account_id, journey, files, Hand(_hand(by)), is_on=is_on, is_own=is_of_account)
        except ConfigurationError as error:
            raise CardRefusedError("invalid", str(error)) from error

    def _put(
        self, account_id: str, journey: str, files: JourneyFiles, hand: Hand, *, is_on: bool, is_own: bool
    ) -> None:
        """Take a journey out of service, or put in what the file says; an account's own comes back as it was."""
        if not is_on:
            self._publisher.retire(account_id, journey, hand)
        elif is_own or journey not in {*files.journeys, *files.broken}:
            self._publisher.roll_back(account_id, journey, None, hand)
        elif journey in files.broken:
            raise ConfigurationError(files.broken[journey])
        else:
            self._publisher.publish(account_id, files, [journey], hand)

    def _demand_admin(self, account_id: str, by: str, *, is_program: bool) -> None:
        if is_program:
            return
        with self._ledger.begin(write=False) as uow:
            account = uow.accounts.get(account_id)
        if not is_admin(account, by):
            raise CardRefusedError("not_allowed", f"only those in the account's setting {ADMINS} may change settings")


def is_admin(account: AccountRow, email: str) -> bool:
    """Tell whether somebody may change an account's settings on the card, by the e-mail address the CRM signed."""
    admins = account.settings.get(ADMINS) or ()
    named = [admins] if isinstance(admins, str) else list(admins)
    known = {str(each).strip().casefold() for each in [*named, account.settings.get(INSTALLER) or ""]}
    return bool(email.strip()) and email.strip().casefold() in known - {""}


def _journey(status: JourneyStatus, files: JourneyFiles) -> dict[str, Any]:
    file = files.journeys.get(status.journey)
    return {
        "id": status.journey,
        "title": (file.title if file is not None else "") or status.journey,
        "enabled": status.status == IN_SERVICE,
        "status": f"{status.status}: {status.mistake}" if status.mistake else status.status,
    }


def _hand(by: str) -> str:
    return f"{by or 'somebody'} on the card"
