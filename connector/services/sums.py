"""What is added to the sums of spending and of traffic when everything else of a transaction is written?"""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.domain.scoring import Tally
from connector.ports.ledger import UnitOfWork
from connector.ports.traffic import Spending


@dataclass(slots=True)
class Sums:
    """What receipts and answers add.

    Written last in a transaction, all together and in one order: whoever adds to the same ones waits for its commit.
    """

    spendings: list[Spending] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)

    def add(self, each: Spending | Tally | None) -> None:
        """Note what is to be added; None is nothing."""
        if isinstance(each, Spending):
            self.spendings.append(each)
        elif each is not None:
            self.tallies.append(each)

    def write(self, uow: UnitOfWork) -> None:
        """Write what was noted."""
        uow.traffic.spend(self.spendings)
        uow.traffic.note(self.tallies)
