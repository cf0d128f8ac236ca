"""Who has a say in what follows when a gateway has answered, or a receipt has come?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.services.budgets import BudgetDesk
from connector.services.number_facts import NumberEar
from connector.services.retrying import Retries


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The desks that both ways of learning a text's fate report to.

    Attributes:
        note_opt_out: called when a gateway says that the recipient has opted out; the third argument is the attempt.
    """

    retries: Retries
    budgets: BudgetDesk
    numbers: NumberEar
    note_opt_out: Callable[[UnitOfWork, MessageRow, str, datetime], None]
