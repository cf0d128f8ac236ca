"""What does a decision change in the ledger?

Everything is written down in the caller's transaction, under keys made of the enrollment and the step, so that
repeating it after a crash changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from connector.domain.enrollment import AssignArm, Decision, Fact, GrantConsent, Perform, RunState, SendSMS
from connector.domain.timeline import EntryKind
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import UnitOfWork
from connector.services.double_opt_in import DoubleOptIn
from connector.services.message_making import Setting, UnsendableError
from connector.services.message_queueing import MessageQueuer
from connector.services.performing import Performer
from connector.services.wishes import ImpossibleError, Wish


@dataclass(slots=True)
class Acted:
    """What came of acting on a decision.

    Attributes:
        facts: how things ended that their enrollment waits for and of which that is known at once.
        codes_sent: keys of the texts that have a code in them.
    """

    state: RunState
    facts: list[Fact] = field(default_factory=list)
    codes_sent: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Actor:
    """Acts on decisions."""

    texts: MessageQueuer
    performer: Performer
    opt_ins: DoubleOptIn

    def act(self, uow: UnitOfWork, setting: Setting, row: EnrollmentRow, decision: Decision, now: datetime) -> Acted:
        """Do what a decision asks for, in its order."""
        acted = Acted(decision.state)
        for action in decision.actions:
            if isinstance(action, SendSMS):
                self._send(uow, setting, action, acted, now)
            elif isinstance(action, Perform):
                wish = Wish(_as_of(setting, action), action.step, action.key, now, action.is_awaited)
                acted.facts += self._perform(uow, wish, row)
            elif isinstance(action, AssignArm):
                _assign(uow, setting, action, now)
            else:
                self._grant(uow, setting, action, acted.state, now)
        return acted

    def _send(self, uow: UnitOfWork, setting: Setting, action: SendSMS, acted: Acted, now: datetime) -> None:
        wish = Wish(_as_of(setting, action), action.step, action.key, now)
        try:
            message_id = self.texts.queue(uow, wish, action.text, action.code)
        except UnsendableError as error:
            acted.state = acted.state.with_send_error(str(error))
            return
        acted.state = acted.state.with_message(action.step, message_id)
        acted.codes_sent += [action.key] if action.code else []

    def _perform(self, uow: UnitOfWork, wish: Wish, row: EnrollmentRow) -> list[Fact]:
        try:
            is_over = self.performer.perform(uow, wish, row)
        except (ImpossibleError, UnsendableError) as error:
            return _failed(uow, wish, str(error))
        return [_end(wish, EntryKind.EFFECT_DONE)] if is_over and wish.is_awaited else []

    def _grant(self, uow: UnitOfWork, setting: Setting, action: GrantConsent, state: RunState, now: datetime) -> None:
        asked_by = next((sent.message_id for sent in reversed(state.sent) if sent.path == action.step.path), "")
        found = uow.messages.many([action.message_id, asked_by])
        wish = Wish(setting, action.step, f"{state.key(action.step)}:consent", now)
        self.opt_ins.grant(uow, wish, found[action.message_id], found.get(asked_by))


def _as_of(setting: Setting, action: SendSMS | Perform) -> Setting:
    """Give the setting with the names that held when the step was taken."""
    return replace(setting, names=action.names) if action.names else setting


def _failed(uow: UnitOfWork, wish: Wish, reason: str) -> list[Fact]:
    """Write down that a step cannot have done what it wants; a person must look where no step is there to."""
    said = f"{wish.step.path} failed: {reason}"
    uow.timeline.add([wish.entry(EntryKind.EFFECT_FAILED, said, reason=reason)])
    if wish.is_awaited:
        return [_end(wish, EntryKind.EFFECT_FAILED, reason)]
    uow.timeline.add([wish.entry(EntryKind.ATTENTION_NEEDED, f"{wish.setting.journey.id}: {said}")])
    return []


def _end(wish: Wish, kind: EntryKind, reason: str = "") -> Fact:
    return Fact(f"{kind}|{wish.key}", kind, wish.now, reason, key=wish.key)


def _assign(uow: UnitOfWork, setting: Setting, action: AssignArm, now: datetime) -> None:
    """Note the arm. A contact that got another one in another enrollment at this moment keeps that for later ones."""
    step, enrollment_id = action.step, setting.enrollment_id
    if uow.splits.assign(
        setting.account.id, setting.journey.id, step.id, setting.contact.id, enrollment_id, action.arm, now
    ):
        wish = Wish(setting, step, f"{enrollment_id}:{step.path}:arm", now)
        said = f"In the arm {action.arm} of {step.id} from now on"
        uow.timeline.add([wish.entry(EntryKind.ARM_ASSIGNED, said, arm=action.arm, split=step.id)])
