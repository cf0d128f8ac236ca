"""What do many gateways keep: how they fare, what goes through them, what numbers are, who may order texts?

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

from connector.adapters.store.types import Document, UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("prefix", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", Document, nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_key_hash")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_account_id"), ["account_id"], unique=False)

    op.create_table(
        "attempt_part",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("attempt_id", sa.String(length=36), nullable=False),
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("provider_message_id", sa.String(length=255), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_part")),
        sa.UniqueConstraint("provider_message_id", "gateway", name=op.f("uq_attempt_part_provider_message_id_gateway")),
    )
    with op.batch_alter_table("attempt_part", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempt_part_attempt_id"), ["attempt_id"], unique=False)

    op.create_table(
        "callback_secret",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("retires_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_secret")),
    )
    with op.batch_alter_table("callback_secret", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_callback_secret_account_id"), ["account_id"], unique=False)

    op.create_table(
        "gateway_health",
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=True),
        sa.Column("openings", sa.Integer(), server_default="0", nullable=False),
        sa.Column("good_probes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("usual_seconds", sa.Float(), nullable=False),
        sa.Column("error_rate", sa.Float(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_gateway_health")),
    )
    op.create_table(
        "incoming_piece",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("msisdn", sa.String(length=20), nullable=False),
        sa.Column("sender", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=255), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("provider_message_id", sa.String(length=255), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming_piece")),
        sa.UniqueConstraint(
            "gateway",
            "msisdn",
            "sender",
            "reference",
            "number",
            name=op.f("uq_incoming_piece_gateway_msisdn_sender_reference_number"),
        ),
    )
    with op.batch_alter_table("incoming_piece", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incoming_piece_received_at"), ["received_at"], unique=False)

    op.create_table(
        "number_lookup",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("msisdn", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("line_type", sa.String(length=64), server_default="unknown", nullable=False),
        sa.Column("is_reachable", sa.Boolean(), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("carrier", sa.String(length=64), server_default="", nullable=False),
        sa.Column("source", sa.String(length=64), server_default="", nullable=False),
        sa.Column("price", sa.String(length=32), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("known_at", UTCDateTime(), nullable=True),
        sa.Column("not_before", UTCDateTime(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_lookup")),
        sa.UniqueConstraint("account_id", "msisdn", name=op.f("uq_number_lookup_account_id_msisdn")),
    )
    with op.batch_alter_table("number_lookup", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_number_lookup_account_id_asked_at"), ["account_id", "asked_at"], unique=False
        )
        batch_op.create_index(
            "ix_number_lookup_wanted",
            ["not_before"],
            unique=False,
            sqlite_where=sa.text("state = 'wanted'"),
            postgresql_where=sa.text("state = 'wanted'"),
        )

    op.create_table(
        "route_tally",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("slot", UTCDateTime(), nullable=False),
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("sender", sa.String(length=20), nullable=False),
        sa.Column("carrier", sa.String(length=64), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("undelivered", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("answer_seconds", sa.Float(), nullable=False),
        sa.Column("delivery_seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_tally")),
        sa.UniqueConstraint(
            "slot",
            "gateway",
            "country",
            "sender",
            "carrier",
            name=op.f("uq_route_tally_slot_gateway_country_sender_carrier"),
        ),
    )
    op.create_table(
        "spending",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("utc_day", sa.String(length=10), nullable=False),
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("journey", sa.String(length=255), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("texts", sa.Integer(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spending")),
        sa.UniqueConstraint(
            "account_id",
            "day",
            "utc_day",
            "gateway",
            "journey",
            "currency",
            name=op.f("uq_spending_account_id_day_utc_day_gateway_journey_currency"),
        ),
    )
    with op.batch_alter_table("spending", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spending_day"), ["day"], unique=False)
        batch_op.create_index(batch_op.f("ix_spending_utc_day"), ["utc_day"], unique=False)

    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.add_column(sa.Column("carrier", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("estimate", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("spent_on", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("settled_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("redact_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("is_urgent", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.create_index(
            "ix_attempt_redact_due",
            ["redact_at"],
            unique=False,
            sqlite_where=sa.text("redact_at IS NOT NULL"),
            postgresql_where=sa.text("redact_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_attempt_urgent_ask",
            ["is_urgent", "ask_at"],
            unique=False,
            sqlite_where=sa.text("ask_at IS NOT NULL"),
            postgresql_where=sa.text("ask_at IS NOT NULL"),
        )

    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("routed_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("template", sa.String(length=255), server_default="", nullable=False))
        batch_op.add_column(sa.Column("wanted_sender", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("ordered_by", sa.String(length=255), server_default="", nullable=False))
        batch_op.add_column(sa.Column("order_fingerprint", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("callback_url_sealed", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("restarted_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("tries_before", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_index(
            batch_op.f("ix_message_account_id_created_at"), ["account_id", "created_at"], unique=False
        )
        batch_op.create_index(
            "ix_message_dead",
            ["id"],
            unique=False,
            sqlite_where=sa.text("state = 'dead_letter'"),
            postgresql_where=sa.text("state = 'dead_letter'"),
        )


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_message_dead",
            sqlite_where=sa.text("state = 'dead_letter'"),
            postgresql_where=sa.text("state = 'dead_letter'"),
        )
        batch_op.drop_index(batch_op.f("ix_message_account_id_created_at"))
        batch_op.drop_column("tries_before")
        batch_op.drop_column("restarted_at")
        batch_op.drop_column("callback_url_sealed")
        batch_op.drop_column("order_fingerprint")
        batch_op.drop_column("ordered_by")
        batch_op.drop_column("wanted_sender")
        batch_op.drop_column("template")
        batch_op.drop_column("routed_at")

    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_attempt_urgent_ask",
            sqlite_where=sa.text("ask_at IS NOT NULL"),
            postgresql_where=sa.text("ask_at IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_attempt_redact_due",
            sqlite_where=sa.text("redact_at IS NOT NULL"),
            postgresql_where=sa.text("redact_at IS NOT NULL"),
        )
        batch_op.drop_column("is_urgent")
        batch_op.drop_column("redact_at")
        batch_op.drop_column("settled_at")
        batch_op.drop_column("spent_on")
        batch_op.drop_column("estimate")
        batch_op.drop_column("carrier")

    with op.batch_alter_table("spending", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spending_utc_day"))
        batch_op.drop_index(batch_op.f("ix_spending_day"))

    op.drop_table("spending")
    op.drop_table("route_tally")
    with op.batch_alter_table("number_lookup", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_number_lookup_wanted",
            sqlite_where=sa.text("state = 'wanted'"),
            postgresql_where=sa.text("state = 'wanted'"),
        )
        batch_op.drop_index(batch_op.f("ix_number_lookup_account_id_asked_at"))

    op.drop_table("number_lookup")
    with op.batch_alter_table("incoming_piece", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incoming_piece_received_at"))

    op.drop_table("incoming_piece")
    op.drop_table("gateway_health")
    with op.batch_alter_table("callback_secret", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_callback_secret_account_id"))

    op.drop_table("callback_secret")
    with op.batch_alter_table("attempt_part", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempt_part_attempt_id"))

    op.drop_table("attempt_part")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_key_account_id"))

    op.drop_table("api_key")
