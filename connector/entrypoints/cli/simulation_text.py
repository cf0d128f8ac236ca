"""How does a simulation read in a terminal?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

from rich.markup import escape

from connector.domain.timeline import EntryKind, TimelineEntry
from connector.services.simulation import SimulatedText, Transcript
from connector.services.traces import shown_values

_MARKS: Mapping[EntryKind, str] = {
    EntryKind.EVENT_RECEIVED: "event",
    EntryKind.ENROLLED: "enters",
    EntryKind.NOT_ENROLLED: "refused",
    EntryKind.MESSAGE_CREATED: "text",
    EntryKind.MESSAGE_HELD: "held",
    EntryKind.REPLY_RECEIVED: "reply",
    EntryKind.LINK_CLICKED: "click",
    EntryKind.TASK_WANTED: "task",
    EntryKind.EFFECT_WANTED: "outside",
    EntryKind.EFFECT_DONE: "done",
    EntryKind.OPTED_OUT: "opt-out",
    EntryKind.OPTED_IN: "opt-in",
    EntryKind.ENROLLMENT_ENDED: "ends",
    EntryKind.ATTENTION_NEEDED: "attention",
    EntryKind.ARM_ASSIGNED: "arm",
    EntryKind.STEP_TAKEN: "step",
    EntryKind.MESSAGE_MOVED: "state",
}
_WIDTH = 9  # of the longest mark


def lines(transcript: Transcript, zone: ZoneInfo, prices: Mapping[str, tuple[Decimal, str]]) -> Iterator[str]:
    """Give the lines, in rich's markup, times on one clock.

    Args:
        transcript: what happened.
        zone: whose clock the times are shown on.
        prices: what each text costs, by the id of its message, where it is known.
    """
    shown_day = ""
    for entry in transcript.entries:
        at = entry.at.astimezone(zone)
        day = f"{at:%A, %Y-%m-%d}"
        if day != shown_day:
            yield f"\n[bold]{day}[/bold] ({zone.key})"
            shown_day = day
        yield _line(entry, f"{at:%H:%M:%S}")
        message_id = entry.message_id or ""
        if entry.kind is EntryKind.MESSAGE_CREATED and message_id in transcript.texts:
            yield from _text(transcript.texts[message_id], prices.get(message_id))
        if entry.kind is EntryKind.REPLY_RECEIVED and message_id in transcript.replies:
            yield f"{'':20}[green]“{escape(transcript.replies[message_id])}”[/green]"
    outcome = transcript.outcome[:1].upper() + transcript.outcome[1:]
    yield f"\n[bold]{escape(outcome)}[/bold]. {_counted(transcript, prices)}"


def _line(entry: TimelineEntry, time: str) -> str:
    mark = _MARKS.get(entry.kind, "")
    where = f"  [dim]{escape(f'{entry.file}:{entry.line} {entry.path}')}[/dim]" if entry.file and entry.line else ""
    values = shown_values(entry.data.get("values") or {})
    seen = ", ".join(f"{name} = {value}" for name, value in values.items())
    return f"{time}  [cyan]{mark:{_WIDTH}}[/cyan] {escape(entry.summary)}{where}" + (
        f"\n{'':20}[dim]{escape(seen)}[/dim]" if seen else ""
    )


def _text(text: SimulatedText, price: tuple[Decimal, str] | None) -> Iterator[str]:
    for line in text.body.splitlines():
        yield f"{'':20}[yellow]│[/yellow] {escape(line)}"
    cost = f", {price[0].normalize():f} {price[1]}" if price is not None else ""
    parts = "1 segment" if text.segments == 1 else f"{text.segments} segments"
    yield f"{'':20}[dim]{len(text.body)} characters, {text.encoding}, {parts}{cost}, to the {text.recipient}[/dim]"


def _counted(transcript: Transcript, prices: Mapping[str, tuple[Decimal, str]]) -> str:
    sent = [message_id for message_id, text in transcript.texts.items() if text.state in {"delivered", "accepted"}]
    segments = sum(transcript.texts[message_id].segments for message_id in sent)
    totals: dict[str, Decimal] = {}
    for message_id in sent:
        if message_id in prices:
            amount, currency = prices[message_id]
            totals[currency] = totals.get(currency, Decimal(0)) + amount
    cost = ", ".join(f"{amount.normalize():f} {currency}" for currency, amount in totals.items())
    texts = "1 text" if len(sent) == 1 else f"{len(sent)} texts"
    parts = "1 segment" if segments == 1 else f"{segments} segments"
    return f"{texts}, {parts}" + (f", {cost}" if cost else "") + "."
