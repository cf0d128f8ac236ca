"""How are the parts of a long incoming SMS kept until all of them are there?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.ids import new_id
from connector.adapters.store.rows import insert_new, locked
from connector.adapters.store.tables import incoming_piece
from connector.ports.gateway import IncomingSMS, Piece
from connector.ports.pieces import PieceRow

_COLUMN = "incoming_piece.body"


class SQLPieceRepository:
    """Parts; bodies are sealed, bound to the gateway, since the account is not known yet.

    See `connector.ports.pieces.PieceRepository`.
    """

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, row: PieceRow) -> bool:
        """Keep a part; False when it is there already."""
        sms, piece = row.sms, row.sms.piece
        if piece is None:
            raise ValueError("only a part of a longer SMS is kept")
        values = {
            "id": new_id(),
            "gateway": row.gateway,
            "msisdn": sms.from_,
            "sender": sms.to,
            "reference": piece.reference,
            "number": piece.number,
            "total": piece.total,
            "provider_message_id": sms.provider_message_id,
            "body_sealed": self._vault.seal(sms.body, account=row.gateway, column=_COLUMN),
            "received_at": row.received_at,
        }
        return insert_new(self._connection, incoming_piece, [values]) == 1

    def of(self, row: PieceRow) -> Sequence[PieceRow]:
        """Read, and lock until commit, all parts of the SMS that this one belongs to."""
        query = select(incoming_piece).where(_same(row)).order_by(incoming_piece.c.number)
        return self._read(locked(self._connection, query, skip=False))

    def drop(self, rows: Sequence[PieceRow]) -> None:
        """Forget parts."""
        for row in rows:
            piece = row.sms.piece
            if piece is not None:
                self._connection.execute(
                    delete(incoming_piece).where(_same(row), incoming_piece.c.number == piece.number)
                )

    def put_off(self, rows: Sequence[PieceRow], at: datetime) -> None:
        """Treat parts as if they had come at a later time."""
        for row in rows:
            self._connection.execute(update(incoming_piece).where(_same(row)).values(received_at=at))

    def older_than(self, at: datetime, limit: int) -> Sequence[PieceRow]:
        """Read parts that came before a time and still wait for others."""
        query = select(incoming_piece).where(incoming_piece.c.received_at < at)
        return self._read(query.order_by(incoming_piece.c.received_at).limit(limit))

    def _read(self, query: Any) -> Sequence[PieceRow]:
        return [self._row(row) for row in self._connection.execute(query)]

    def _row(self, row: Row[Any]) -> PieceRow:
        body = self._vault.open_text(row.body_sealed, account=row.gateway, column=_COLUMN)
        piece = Piece(row.reference, row.number, row.total)
        sms = IncomingSMS(row.provider_message_id, row.msisdn, row.sender, body, piece=piece)
        return PieceRow(row.gateway, sms, row.received_at)


def _same(row: PieceRow) -> Any:
    table, piece = incoming_piece.c, row.sms.piece
    return (
        (table.gateway == row.gateway)
        & (table.msisdn == row.sms.from_)
        & (table.sender == row.sms.to)
        & (table.reference == (piece.reference if piece is not None else ""))
    )
