"""How is one process's connector driven: lanes drained, status told?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from connector.adapters.channels.building import broken
from connector.bootstrap.generic_parts import GenericParts
from connector.bootstrap.installing_parts import InstallingParts
from connector.bootstrap.outside import HUBSPOT, configured_gateways, lanes
from connector.errors import ConfigurationError
from connector.ports.queue import EFFECTS, EVENTS, JOURNEYS, LOOKUPS, MAINTENANCE, RECEIPTS, WORKFLOWS
from connector.services.fall_watch import FallWatch
from connector.services.journals import JournalReader, skipped_entries
from connector.services.journey_status import journey_statuses
from connector.services.maintaining import Maintenance
from connector.services.overview import Overview
from connector.services.reconcile import BATCH as ASKED_TOGETHER
from connector.services.reports import status_report
from connector.settings import Settings

_BATCH = 100  # HubSpot's own batch size, which reads and writes are made for


class Connector(GenericParts, InstallingParts):
    """One process's connector; its parts are built when first asked for, so that each process has what it uses."""

    def drain(self, lane: str) -> None:
        """Work what waits in a lane; nudge it again when more is left than one drain takes."""
        self.queue.begin(lane)
        if self._work(lane):
            self.queue.nudge(lane)

    def _work(self, lane: str) -> bool:
        """Work one round of a lane; tell whether more may wait."""
        kind, *rest = lane.split(":")
        if kind == "send":
            return self.send_path.dispatcher.drain(*rest)
        if kind == "writeback":
            return self.writer.write_back(rest[0], _BATCH) == _BATCH
        return self._rounds[lane]()

    @cached_property
    def _rounds(self) -> Mapping[str, Callable[[], bool]]:
        return {
            EVENTS: lambda: self.events.understand(_BATCH) == _BATCH,
            JOURNEYS: lambda: self.journeys.advance(_BATCH) == _BATCH,
            EFFECTS: self.effects.drain,
            WORKFLOWS: lambda: self.workflows.drain(),  # noqa: PLW0108 - built in its own turn
            LOOKUPS: self.lookups.drain,
            RECEIPTS: self.send_path.receipts.drain,
            MAINTENANCE: self._maintenance.run,
        }

    @cached_property
    def _maintenance(self) -> Maintenance:
        """What becomes of texts comes first."""
        reconciler, receipts = self.send_path.reconciler, self.send_path.receipts
        falls = FallWatch(self.ledger, self.send_path.scores.fallen, self.clock)
        return Maintenance(
            {
                "abandoned claims": lambda: reconciler.free_abandoned() == ASKED_TOGETHER,
                "asking": reconciler.ask,
                "incomplete replies": receipts.take_incomplete,
                "departures": lambda: self.departures.settle(),  # noqa: PLW0108 - built in its own turn
                "erasures": lambda: self.eraser.settle(),  # noqa: PLW0108 - built in its own turn
                "backfill": lambda: self.backfill.fill_due(),  # noqa: PLW0108 - built in its own turn
                "journal": self._read_journal,
                "polls": lambda: self.poller.poll_due(),  # noqa: PLW0108 - built in its own turn
                "schedules": lambda: self.schedules.start_due(),  # noqa: PLW0108 - built in its own turn
                "splits": lambda: self.split_judge.judge_due(),  # noqa: PLW0108 - built in its own turn
                "audiences": lambda: self.audiences.list_next(),  # noqa: PLW0108 - built in its own turn
                "redaction": lambda: self.redactions.drain(),  # noqa: PLW0108 - built in its own turn
                "falls": falls.look,
            }
        )

    @cached_property
    def _journal_reader(self) -> JournalReader | None:
        journal, gone, hasten = self.hubspot_journal, self.departures.gone, self.backfill.hasten
        if journal is None:
            return None
        return JournalReader(self.ledger, self.crms[HUBSPOT], journal, self.catalogue, gone, hasten, self.clock)

    def _read_journal(self) -> int:
        return 0 if self._journal_reader is None else self._journal_reader.read_due()

    def checks(self) -> Mapping[str, str]:
        """Say of ledger and queue whether they answer: `ok` or the kind of error."""
        return {"ledger": _answer(self._touch_ledger), "redis": _answer(self.redis.ping)}

    def _touch_ledger(self) -> None:
        with self.ledger.begin(write=False) as uow:
            uow.accounts.by_external_ids(HUBSPOT, [""])

    def status(self) -> dict[str, Any]:
        """Give how things stand, for `smsctl status`."""
        with self.ledger.begin(write=False) as uow:
            journeys = journey_statuses(uow, self.versions, self.journey_files())
            report = status_report(uow, journeys, self.clock.now())
            if self.hubspot_journal is not None:
                report["journal_entries_passed_over"] = skipped_entries(uow, HUBSPOT)
        return report | {"broken_channels": dict(broken(self.channels))}

    def overview(self) -> Overview:
        """Give how things stand, for the start page."""
        files, working = self.journey_files(), self.alarm.lanes_with_work()
        gateways = self.providers.status()
        with self.ledger.begin(write=False) as uow:
            return Overview(
                at=self.clock.now(),
                accounts=uow.accounts.all(),
                journeys=journey_statuses(uow, self.versions, files),
                mistakes=self._check.report().errors,
                messages=uow.messages.counts(),
                lanes={lane: lane in working for lane in lanes(self.settings)},
                gateways=gateways,
                default_gateway=self.settings.gateway,
                workers=self.queue.workers(),
            )


def build_connector(settings: Settings) -> Connector:
    """Make this process's connector.

    Raises:
        ConfigurationError: GATEWAY names none, or one that lacks its settings.
    """
    known = [plugin.slug for plugin in configured_gateways(settings)]
    if settings.gateway not in known:
        raise ConfigurationError(
            f"GATEWAY: {settings.gateway} is not a configured gateway; it may be {', '.join(known)}"
        )
    made = Connector(settings)
    made.gateways  # noqa: B018 - what is wrong with a gateway's settings is to be told at the start
    return made


def _answer(question: Callable[[], object]) -> str:
    try:
        question()
    except Exception as error:  # noqa: BLE001 - whatever it is, the part is not ready
        return type(error).__name__
    return "ok"
