"""How does a portal or organisation become an account, and what is set for it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from connector.domain.account_status import CONNECTED_AT, AccountStatus
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import ConfigurationError, CRMDisconnectedError, CRMError
from connector.ports.crm import CRM, CRMAccount
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.queue import MAINTENANCE
from connector.ports.time import Clock
from connector.services.named_fields import mistakes_in_names, names_others

log = structlog.get_logger(__name__)

ACTIVE = "active"

_PREFERENCES = frozenset({"time_zone", "currency"})
"""What the CRM tells once and an admin may have set otherwise since; everything else it tells is a fact that follows
it, such as its address or the fields it lacks."""

MISSING_FIELDS = "missing_fields"
"""Under which a CRM tells, when it is prepared, the fields it does not show us."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What is known when an account is added.

    Attributes:
        token: static token, as private apps have; with a refresh token the first access token, or None.
        expires_at: of the access token; None when nobody tells.
        settings: chosen by the admin, such as `default_region`; they win over what the CRM tells.
    """

    crm: str
    external_id: str
    token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """An account.

    Attributes:
        missing: what could not be done for it; empty when all is well.
        in_service: journeys that were put in service for it because it is new.
    """

    account: AccountRow
    missing: str = ""
    in_service: Sequence[str] = ()


class Accounts:
    """Adds accounts and changes their settings."""

    def __init__(
        self,
        ledger: Ledger,
        crms: Mapping[str, CRM],
        clock: Clock,
        begin: Callable[[str], Sequence[str]] = lambda _: (),
    ) -> None:
        """`begin` is called with the id of each account that was added; gives the journeys it put in service."""
        self._ledger, self._crms, self._clock, self._begin = ledger, crms, clock, begin

    def add(self, installation: Installation) -> Added:
        """Add an account, or give a known one new tokens; create our properties in the CRM.

        Where the CRM refuses the properties or is away, the account works all the same and the answer says what is
        missing: adding it again makes up for it.

        Raises:
            ConfigurationError: no such CRM, no token, a token of another account, or an account being erased.
            CRMDisconnectedError: the CRM does not know the token; the account is kept.
        """
        if installation.crm not in self._crms:
            raise ConfigurationError(f"--crm {installation.crm}: known are {', '.join(sorted(self._crms))}")
        if not (installation.token or installation.refresh_token):
            raise ConfigurationError("an account needs --token or --refresh-token")
        account_id = self._store(installation)
        seen = self._as_seen_by_crm(account_id)
        facts, missing = self._install(installation.crm, seen)
        account = self._complete(seen, facts, installation.settings)
        return Added(account, missing or _without(facts), self._begin(account_id))

    def _install(self, crm: str, seen: CRMAccount) -> tuple[Mapping[str, Any], str]:
        """Prepare the CRM; give what it tells of the account, and what could not be done."""
        try:
            return self._crms[crm].install(seen), ""
        except CRMDisconnectedError:
            raise
        except CRMError as error:
            return {}, f"our properties could not be made in the CRM: {error}; add the account again to make them"

    def change(self, crm: str, external_id: str, settings: Mapping[str, Any]) -> AccountRow:
        """Change some settings of an account; a value of None removes the setting.

        Raises:
            ConfigurationError: there is no such account, or its CRM has no such fields; nothing was changed.
        """
        known = self._known(crm, external_id)
        mistakes = mistakes_in_names(self._crms, known, settings)
        if mistakes:
            raise ConfigurationError("\n".join(f"{name}: {told}" for name, told in sorted(mistakes.items())))
        with self._ledger.begin() as uow:
            account = uow.accounts.get(known.id)
            merged = {name: value for name, value in {**account.settings, **settings}.items() if value is not None}
            uow.accounts.save_settings(account.id, merged, account.name)
            uow.commit()
        changed = replace(account, settings=merged)
        return self._look_for_fields(changed) if names_others(account.settings, merged) else changed

    def _known(self, crm: str, external_id: str) -> AccountRow:
        with self._ledger.begin(write=False) as uow:
            account_id = uow.accounts.by_external_ids(crm, [external_id]).get(external_id)
            if account_id is None:
                raise ConfigurationError(f"there is no {crm} account {external_id}; add it with: smsctl account add")
            return uow.accounts.get(account_id)

    def _look_for_fields(self, account: AccountRow) -> AccountRow:
        """Ask whether the CRM has the fields the settings name; one that is away is asked when it is added again."""
        crm = self._crms.get(account.crm)
        if crm is None or account.status != ACTIVE:
            return account
        try:
            facts = crm.install(self._as_seen_by_crm(account.id))
        except CRMError as error:
            log.warning("account.not_looked_at", account_id=account.id, error=type(error).__name__)
            return account
        with self._ledger.begin() as uow:
            now = uow.accounts.get(account.id)
            settings = {**now.settings, **{name: facts[name] for name in facts if name == MISSING_FIELDS}}
            uow.accounts.save_settings(account.id, settings, now.name)
            self._tell_missing(uow, account.id, facts)
            uow.commit()
        return replace(now, settings=settings)

    def _tell_missing(self, uow: UnitOfWork, account_id: str, facts: Mapping[str, Any]) -> None:
        """Enter on the timeline what the CRM does not show us: an opt-out in such a field is never seen."""
        told, now = _without(facts), self._clock.now()
        if told:
            entry = TimelineEntry(
                account_id=account_id,
                kind=EntryKind.ATTENTION_NEEDED,
                subject=f"account:{account_id}",
                discriminator=f"{MISSING_FIELDS}:{now.isoformat()}",
                at=now,
                summary=told,
                data={MISSING_FIELDS: list(facts[MISSING_FIELDS])},
            )
            uow.timeline.add([entry])

    def _store(self, installation: Installation) -> str:
        now = self._clock.now()
        with self._ledger.begin() as uow:
            known = uow.accounts.by_external_ids(installation.crm, [installation.external_id])
            account_id = known.get(installation.external_id) or self._ledger.new_id()
            expires_at = now if installation.token is None else installation.expires_at
            if known:
                self._demand_no_erasure(uow, account_id)
                uow.accounts.save_tokens(account_id, installation.token or "", installation.refresh_token, expires_at)
                uow.accounts.set_status(account_id, ACTIVE, "")
                account = uow.accounts.get(account_id)
                settings = {**account.settings, **installation.settings, CONNECTED_AT: now.isoformat()}
                uow.accounts.save_settings(account_id, settings, account.name)
            else:
                uow.accounts.add(
                    AccountRow(
                        id=account_id,
                        crm=installation.crm,
                        external_id=installation.external_id,
                        name="",
                        status=ACTIVE,
                        status_reason="",
                        settings=dict(installation.settings),
                        created_at=now,
                        access_token=installation.token or "",
                        refresh_token=installation.refresh_token,
                        token_expires_at=expires_at,
                    )
                )
            uow.commit()
        return account_id

    def _demand_no_erasure(self, uow: UnitOfWork, account_id: str) -> None:
        account = uow.accounts.get(account_id)
        if account.status == AccountStatus.ERASING:
            raise ConfigurationError(
                f"the data of {account.crm} account {account.external_id} is being erased; "
                "it can be added anew when that is done, in about a quarter of an hour"
            )

    def _as_seen_by_crm(self, account_id: str) -> CRMAccount:
        with self._ledger.begin(write=False) as uow:
            account = uow.accounts.get(account_id)
        return CRMAccount(account.id, account.external_id, account.settings)

    def _complete(self, seen: CRMAccount, facts: Mapping[str, Any], chosen: Mapping[str, Any]) -> AccountRow:
        account_id = seen.account_id
        with self._ledger.begin() as uow:
            account = uow.accounts.get(account_id)
            told = {name: value for name, value in facts.items() if name not in {"name", "external_id"}}
            told_id = str(facts.get("external_id") or account.external_id)
            if told_id != account.external_id:
                reason = f"the token belongs to account {told_id}, not to {account.external_id}"
                uow.accounts.disconnect(account_id, seen.settings.get(CONNECTED_AT), reason)
                uow.commit()
                raise ConfigurationError(reason)
            followed = {name: value for name, value in told.items() if name not in _PREFERENCES}
            settings = {**told, **account.settings, **followed, **chosen}
            uow.accounts.save_settings(account_id, settings, str(facts.get("name") or account.name))
            self._tell_missing(uow, account_id, facts)
            uow.nudge(MAINTENANCE)  # it polls the new account from now on
            uow.commit()
        with self._ledger.begin(write=False) as uow:
            return uow.accounts.get(account_id)


def _without(facts: Mapping[str, Any]) -> str:
    """Say which fields the CRM does not show us; empty when it shows all."""
    missing = facts.get(MISSING_FIELDS) or ()
    if not missing:
        return ""
    return (
        f"the CRM shows us no {', '.join(map(str, missing))}: opt-outs and numbers there are not seen; install our "
        "package, give our user access to them, or mend the account's settings, then add the account again"
    )
