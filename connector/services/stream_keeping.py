"""Which streams of changes are listened to, each by one process, and who begins again when one breaks?

Every few seconds the streams that accounts want are compared with those that are listened to here. A stream nobody
listens to is taken with a lease, which ends by itself when its process dies; one that is not wanted any more, whose
lease is gone, or that says nothing for too long is closed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import structlog

from connector.ports.leases import Leases
from connector.ports.ledger import AccountRow, Ledger
from connector.services.change_streams import StreamReader
from connector.services.stream_listening import Listener, Wanted

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
"""How late a new stream may begin; a look is one query, and leases need to be renewed well within their minute."""

_STOP_SECONDS = 20.0  # platforms kill 30 s after SIGTERM; a batch under way is kept in well under one


class StreamKeeper:
    """Keeps the streams of all accounts of one CRM going.

    Args:
        topics: gives the topics an account's settings name.
    """

    def __init__(
        self,
        ledger: Ledger,
        reader: StreamReader,
        leases: Leases,
        topics: Callable[[AccountRow], list[str]],
        rng: random.Random,
    ) -> None:
        self._ledger, self._reader, self._leases, self._topics, self._rng = ledger, reader, leases, topics, rng
        self._listeners: dict[Wanted, Listener] = {}

    def wanted(self) -> set[Wanted]:
        """Give the streams that active accounts want."""
        with self._ledger.begin(write=False) as uow:
            accounts = uow.accounts.connected()
        return {Wanted(account.id, topic) for account in accounts for topic in self._topics(account)}

    def listening(self) -> set[Wanted]:
        """Give the streams that are this process's."""
        return set(self._listeners)

    def run(self, stopped_within: Callable[[float], bool]) -> None:
        """Keep streams going until told to stop.

        Args:
            stopped_within: waits that many seconds and tells whether to stop.
        """
        try:
            while True:
                try:
                    self.look()
                except Exception as error:  # noqa: BLE001 - this outlives a ledger that is away
                    log.error("streams.not_looked", error=type(error).__name__)
                if stopped_within(LOOK_SECONDS):
                    return
        finally:
            self.stop()

    def look(self) -> None:
        """Compare what is wanted with what is listened to, once."""
        self._renew()
        wanted = self.wanted()
        for each in self._listeners.keys() - wanted:
            self._listeners[each].close()
        self._bury()
        for each in sorted(wanted - self._listeners.keys()):
            lease = self._leases.take(f"stream:{each.account_id}:{each.topic}")
            if lease is not None:
                log.info("stream.taken", account_id=each.account_id, topic=each.topic)
                self._listeners[each] = Listener(each, lease, self._reader, self._rng)
                self._listeners[each].start()

    def stop(self) -> None:
        """Close every stream, wait for what is being kept, and give the leases back."""
        for each in self._listeners.values():
            each.close()
        deadline = time.monotonic() + _STOP_SECONDS
        for each in self._listeners.values():
            each.join(max(0.0, deadline - time.monotonic()))
        self._bury()

    def _renew(self) -> None:
        for each in self._listeners.values():
            if not each.lease.renew():
                log.warning("stream.lease_lost", account_id=each.wanted.account_id, topic=each.wanted.topic)
                each.close()
            elif each.is_silent():
                log.warning("stream.silent", account_id=each.wanted.account_id, topic=each.wanted.topic)
                each.cut()

    def _bury(self) -> None:
        for each in [each for each in self._listeners.values() if not each.is_alive()]:
            each.lease.release()
            del self._listeners[each.wanted]
