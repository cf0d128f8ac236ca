"""Which tables did the ledger begin with?

Revision 0001; the first.
"""

import sqlalchemy as sa
from alembic import op

from connector.adapters.store.types import Document, UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("crm", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("status_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("access_token_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("refresh_token_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("token_expires_at", UTCDateTime(), nullable=True),
        sa.Column("settings", Document, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("crm", "external_id", name=op.f("uq_account_crm_external_id")),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=20), nullable=True),
        sa.Column("provider_message_id", sa.String(length=255), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("raw_status", sa.String(length=255), server_default="", nullable=False),
        sa.Column("error_class", sa.String(length=64), server_default="", nullable=False),
        sa.Column("error_code", sa.String(length=255), server_default="", nullable=False),
        sa.Column("price", sa.String(length=32), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("segments", sa.Integer(), nullable=True),
        sa.Column("requested_at", UTCDateTime(), nullable=False),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.Column("ask_at", UTCDateTime(), nullable=True),
        sa.Column("asked", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("provider_message_id", "gateway", name=op.f("uq_attempt_provider_message_id_gateway")),
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(
            "ix_attempt_ask",
            ["ask_at"],
            unique=False,
            sqlite_where=sa.text("ask_at IS NOT NULL"),
            postgresql_where=sa.text("ask_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_attempt_message_id"), ["message_id"], unique=False)

    op.create_table(
        "consent_event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("msisdn", sa.String(length=20), nullable=False),
        sa.Column("contact_id", sa.String(length=36), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("mechanism", sa.String(length=64), nullable=False),
        sa.Column("wording_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("jurisdiction", sa.String(length=2), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
        sa.UniqueConstraint(
            "account_id",
            "msisdn",
            "kind",
            "scope",
            "source",
            name=op.f("uq_consent_event_account_id_msisdn_kind_scope_source"),
        ),
    )
    with op.batch_alter_table("consent_event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_consent_event_account_id_msisdn_at"), ["account_id", "msisdn", "at"], unique=False
        )

    op.create_table(
        "contact",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("crm", sa.String(length=64), nullable=False),
        sa.Column("crm_id", sa.String(length=255), nullable=False),
        sa.Column("msisdn", sa.String(length=20), nullable=True),
        sa.Column("msisdn_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("locale", sa.String(length=64), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("owner_id", sa.String(length=255), nullable=True),
        sa.Column("attributes", Document, nullable=False),
        sa.Column("read_at", UTCDateTime(), nullable=False),
        sa.Column("deleted_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("account_id", "crm", "crm_id", name=op.f("uq_contact_account_id_crm_crm_id")),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_account_id_msisdn"), ["account_id", "msisdn"], unique=False)

    op.create_table(
        "crm_record",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("crm", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("contact_id", sa.String(length=36), nullable=True),
        sa.Column("contact_crm_id", sa.String(length=255), server_default="", nullable=False),
        sa.Column("payload_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("crm_record_id", sa.String(length=255), nullable=True),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("written", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("create_sent_at", UTCDateTime(), nullable=True),
        sa.Column("not_before", UTCDateTime(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("written_back_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_record")),
        sa.UniqueConstraint("account_id", "kind", "subject", name=op.f("uq_crm_record_account_id_kind_subject")),
    )
    with op.batch_alter_table("crm_record", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_crm_record_account_id_contact_id"), ["account_id", "contact_id"], unique=False
        )
        batch_op.create_index(
            "ix_crm_record_waiting",
            ["crm", "not_before"],
            unique=False,
            sqlite_where=sa.text("state IN ('waiting', 'creating')"),
            postgresql_where=sa.text("state IN ('waiting', 'creating')"),
        )

    op.create_table(
        "enrollment",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("contact_id", sa.String(length=36), nullable=False),
        sa.Column("journey", sa.String(length=255), nullable=False),
        sa.Column("journey_version_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("state", Document, nullable=False),
        sa.Column("waits_for", sa.Text(), server_default="", nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("exit_reason", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrollment")),
        sa.UniqueConstraint(
            "account_id",
            "journey",
            "contact_id",
            "key",
            "epoch",
            name=op.f("uq_enrollment_account_id_journey_contact_id_key_epoch"),
        ),
    )
    with op.batch_alter_table("enrollment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_enrollment_account_id_contact_id_status"),
            ["account_id", "contact_id", "status"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_enrollment_account_id_subject_status"), ["account_id", "subject", "status"], unique=False
        )
        batch_op.create_index(
            "ix_enrollment_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("status = 'live'"),
            postgresql_where=sa.text("status = 'live'"),
        )

    op.create_table(
        "external_event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("context", Document, nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("not_before", UTCDateTime(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("handled_at", UTCDateTime(), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_event")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_external_event_source_external_id")),
    )
    with op.batch_alter_table("external_event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_external_event_waiting",
            ["source", "not_before"],
            unique=False,
            sqlite_where=sa.text("handled_at IS NULL"),
            postgresql_where=sa.text("handled_at IS NULL"),
        )

    op.create_table(
        "journey_version",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("journey", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("source", Document, nullable=False),
        sa.Column("published_by", sa.String(length=255), nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey_version")),
        sa.UniqueConstraint("account_id", "journey", "hash", name=op.f("uq_journey_version_account_id_journey_hash")),
        sa.UniqueConstraint(
            "account_id", "journey", "version", name=op.f("uq_journey_version_account_id_journey_version")
        ),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("contact_id", sa.String(length=36), nullable=True),
        sa.Column("enrollment_id", sa.String(length=36), nullable=True),
        sa.Column("journey", sa.String(length=255), server_default="", nullable=False),
        sa.Column("step", sa.String(length=255), server_default="", nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=64), server_default="contact", nullable=False),
        sa.Column("msisdn", sa.String(length=20), nullable=False),
        sa.Column("sender", sa.String(length=20), nullable=True),
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("encoding", sa.String(length=64), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("state_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("send_window", sa.String(length=64), server_default="", nullable=False),
        sa.Column("caps", Document, nullable=False),
        sa.Column("time_zones", Document, nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("not_before", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("provider_message_id", sa.String(length=255), nullable=True),
        sa.Column("cost", sa.String(length=32), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("replied_at", UTCDateTime(), nullable=True),
        sa.Column("opted_out_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("account_id", "idempotency_key", name=op.f("uq_message_account_id_idempotency_key")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_message_account_id_contact_id_created_at"),
            ["account_id", "contact_id", "created_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_message_account_id_msisdn_created_at"), ["account_id", "msisdn", "created_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_message_enrollment_id"), ["enrollment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_msisdn_sender"), ["msisdn", "sender"], unique=False)
        batch_op.create_index(
            "ix_message_open",
            ["state", "gateway", "purpose", "not_before"],
            unique=False,
            sqlite_where=sa.text("state IN ('held', 'queued', 'dispatching')"),
            postgresql_where=sa.text("state IN ('held', 'queued', 'dispatching')"),
        )

    op.create_table(
        "poll",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("event", sa.String(length=255), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poll")),
        sa.UniqueConstraint("account_id", "event", name=op.f("uq_poll_account_id_event")),
    )
    with op.batch_alter_table("poll", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_poll_due_at"), ["due_at"], unique=False)

    op.create_table(
        "suppression",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("msisdn", sa.String(length=20), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("consent_event_id", sa.String(length=36), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
        sa.UniqueConstraint("account_id", "msisdn", "scope", name=op.f("uq_suppression_account_id_msisdn_scope")),
    )
    op.create_table(
        "timeline_entry",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("discriminator", sa.String(length=255), nullable=False),
        sa.Column("contact_id", sa.String(length=36), nullable=True),
        sa.Column("enrollment_id", sa.String(length=36), nullable=True),
        sa.Column("message_id", sa.String(length=36), nullable=True),
        sa.Column("ref", sa.String(length=255), server_default="", nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("path", sa.String(length=255), server_default="", nullable=False),
        sa.Column("file", sa.String(length=255), server_default="", nullable=False),
        sa.Column("line", sa.Integer(), server_default="0", nullable=False),
        sa.Column("data", Document, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timeline_entry")),
        sa.UniqueConstraint(
            "account_id",
            "kind",
            "subject",
            "discriminator",
            name=op.f("uq_timeline_entry_account_id_kind_subject_discriminator"),
        ),
    )
    with op.batch_alter_table("timeline_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_timeline_entry_account_id_contact_id_at"), ["account_id", "contact_id", "at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_timeline_entry_enrollment_id"), ["enrollment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_timeline_entry_message_id"), ["message_id"], unique=False)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("timeline_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_timeline_entry_message_id"))
        batch_op.drop_index(batch_op.f("ix_timeline_entry_enrollment_id"))
        batch_op.drop_index(batch_op.f("ix_timeline_entry_account_id_contact_id_at"))

    op.drop_table("timeline_entry")
    op.drop_table("suppression")
    with op.batch_alter_table("poll", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_poll_due_at"))

    op.drop_table("poll")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_message_open",
            sqlite_where=sa.text("state IN ('held', 'queued', 'dispatching')"),
            postgresql_where=sa.text("state IN ('held', 'queued', 'dispatching')"),
        )
        batch_op.drop_index(batch_op.f("ix_message_msisdn_sender"))
        batch_op.drop_index(batch_op.f("ix_message_enrollment_id"))
        batch_op.drop_index(batch_op.f("ix_message_account_id_msisdn_created_at"))
        batch_op.drop_index(batch_op.f("ix_message_account_id_contact_id_created_at"))

    op.drop_table("message")
    op.drop_table("journey_version")
    with op.batch_alter_table("external_event", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_external_event_waiting",
            sqlite_where=sa.text("handled_at IS NULL"),
            postgresql_where=sa.text("handled_at IS NULL"),
        )

    op.drop_table("external_event")
    with op.batch_alter_table("enrollment", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_enrollment_due", sqlite_where=sa.text("status = 'live'"), postgresql_where=sa.text("status = 'live'")
        )
        batch_op.drop_index(batch_op.f("ix_enrollment_account_id_subject_status"))
        batch_op.drop_index(batch_op.f("ix_enrollment_account_id_contact_id_status"))

    op.drop_table("enrollment")
    with op.batch_alter_table("crm_record", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_crm_record_waiting",
            sqlite_where=sa.text("state IN ('waiting', 'creating')"),
            postgresql_where=sa.text("state IN ('waiting', 'creating')"),
        )
        batch_op.drop_index(batch_op.f("ix_crm_record_account_id_contact_id"))

    op.drop_table("crm_record")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_account_id_msisdn"))

    op.drop_table("contact")
    with op.batch_alter_table("consent_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_event_account_id_msisdn_at"))

    op.drop_table("consent_event")
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempt_message_id"))
        batch_op.drop_index(
            "ix_attempt_ask", sqlite_where=sa.text("ask_at IS NOT NULL"), postgresql_where=sa.text("ask_at IS NOT NULL")
        )

    op.drop_table("attempt")
    op.drop_table("account")
