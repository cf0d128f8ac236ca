"""How do texts that wait for a decision read in a terminal, and what do programs get?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console

from connector.domain.msisdn import masked
from connector.entrypoints.cli.terminal_tables import print_table
from connector.ports.attempts import AttemptRow
from connector.ports.messages import MessageRow
from connector.services.dead_letters import DeadLetter
from connector.services.shown_texts import shown_body

UNTOLD = "may have arrived"


def count_of(texts: int) -> str:
    """Give a number of texts in words."""
    return "1 text" if texts == 1 else f"{texts} texts"


def print_letters(console: Console, letters: Sequence[DeadLetter], now: datetime) -> None:
    """Print texts as a table, without anything that says whose they are."""
    if not letters:
        console.print("no text waits for a decision")
        return
    rows = [
        (
            f"{letter.message.id}\n{letter.message.purpose} to {masked(letter.message.msisdn)}",
            _at(letter.message.updated_at or letter.message.created_at).replace(" ", "\n", 1),
            f"{letter.message.gateway}\n{letter.code or ('no code' if letter.last else 'not tried')}",
            _why(letter, now),
        )
        for letter in letters
    ]
    title = f"{count_of(len(letters))} to decide about"
    print_table(console, title, ("!text", "!given up", "!last try", "why"), rows)


def print_letter(console: Console, letter: DeadLetter, now: datetime) -> None:
    """Print one text with everything a decision takes."""
    for name, value in _facts(letter.message, now).items():
        if value:
            console.print(f"{name:12}{value}", markup=False, highlight=False, soft_wrap=True)
    rows = [
        (_at(each.requested_at), each.gateway, each.state, each.error_code, each.error_class, each.raw_status)
        for each in letter.attempts
    ]
    print_table(console, "Tries", ("!at", "gateway", "state", "code", "kind", "its word"), rows)
    if letter.may_have_arrived:
        console.print("It may have arrived: sent again, it may arrive twice.")


def _facts(row: MessageRow, now: datetime) -> Mapping[str, str]:
    is_over = row.expires_at is not None and row.expires_at <= now
    return {
        "text": row.id,
        "purpose": str(row.purpose),
        "made by": f"{row.journey}, {row.step}" if row.journey else row.ordered_by,
        "to": row.msisdn,
        "from": row.wanted_sender or row.sender or "",
        "body": shown_body(row),
        "given up": f"{_at(row.updated_at or row.created_at)} UTC",
        "because": row.state_reason,
        "lifetime": (f"{'was over' if is_over else 'until'} {_at(row.expires_at)} UTC") if row.expires_at else "",
    }


def list_json(letter: DeadLetter) -> dict[str, Any]:
    """Give a text for programs that look through many: the number masked, the body left out."""
    row = letter.message
    return {
        "id": row.id,
        "to": masked(row.msisdn),
        "purpose": row.purpose.value,
        "journey": row.journey or None,
        "step": row.step or None,
        "ordered_by": row.ordered_by or None,
        "country": row.country,
        "gateway": row.gateway,
        "error_code": letter.code or None,
        "reason": row.state_reason,
        "may_have_arrived": letter.may_have_arrived,
        "tries": row.tries,
        "segments": row.segments,
        "created_at": row.created_at.isoformat(),
        "given_up_at": (row.updated_at or row.created_at).isoformat(),
        "expires_at": None if row.expires_at is None else row.expires_at.isoformat(),
    }


def letter_json(letter: DeadLetter) -> dict[str, Any]:
    """Give a text for programs with its number, its body, and every try."""
    row = letter.message
    return list_json(letter) | {
        "to": row.msisdn,
        "sender": row.wanted_sender or row.sender,
        "body": shown_body(row),
        "attempts": [_attempt_json(each) for each in letter.attempts],
    }


def _attempt_json(row: AttemptRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "gateway": row.gateway,
        "state": row.state.value,
        "sender": row.sender,
        "provider_message_id": row.provider_message_id,
        "raw_status": row.raw_status,
        "error_class": row.error_class,
        "error_code": row.error_code,
        "requested_at": row.requested_at.isoformat(),
        "answered_at": None if row.answered_at is None else row.answered_at.isoformat(),
    }


def _why(letter: DeadLetter, now: datetime) -> str:
    notes = [UNTOLD] if letter.may_have_arrived else []
    notes += ["its time is over"] if letter.is_over(now) else []
    return "\n".join([letter.message.state_reason, *notes])


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
