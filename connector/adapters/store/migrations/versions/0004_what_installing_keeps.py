"""What do installing and leaving keep: attempts, secrets, how far was read, workflow calls, imports, erasures?

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

from connector.adapters.store.types import Document, UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "account_secret",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("retires_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_secret")),
        sa.UniqueConstraint("hash", name=op.f("uq_account_secret_hash")),
    )
    with op.batch_alter_table("account_secret", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_secret_account_id_name"), ["account_id", "name"], unique=False)

    op.create_table(
        "cursor",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cursor")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_cursor_account_id_name")),
    )
    op.create_table(
        "erasure",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("crm", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=255), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("requested_by", sa.String(length=255), nullable=False),
        sa.Column("requested_at", UTCDateTime(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("counts", Document, nullable=False),
        sa.Column("completed_at", UTCDateTime(), nullable=True),
        sa.Column("seal", sa.String(length=64), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_erasure_account_id"), ["account_id"], unique=False)

    op.create_table(
        "import_run",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("file_hash", sa.String(length=64), nullable=False),
        sa.Column("columns", Document, nullable=False),
        sa.Column("options", Document, nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("next_row", sa.Integer(), nullable=False),
        sa.Column("counts", Document, nullable=False),
        sa.Column("started_by", sa.String(length=255), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
        sa.UniqueConstraint("account_id", "file_hash", "id", name=op.f("uq_import_run_account_id_file_hash_id")),
    )
    op.create_table(
        "import_trouble",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(length=255), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_trouble")),
        sa.UniqueConstraint("run_id", "row_number", "column", name=op.f("uq_import_trouble_run_id_row_number_column")),
    )
    with op.batch_alter_table("import_trouble", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_trouble_account_id"), ["account_id"], unique=False)

    op.create_table(
        "install_attempt",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("crm", sa.String(length=64), nullable=False),
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("verifier_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("details", Document, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_install_attempt")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_install_attempt_state_hash")),
    )
    with op.batch_alter_table("install_attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_install_attempt_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "workflow_call",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("callback_id", sa.String(length=255), nullable=False),
        sa.Column("workflow", sa.String(length=255), server_default="", nullable=False),
        sa.Column("object_type", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("inputs_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("waits_for", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=True),
        sa.Column("result", sa.String(length=64), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("reply_id", sa.String(length=36), nullable=True),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("not_before", UTCDateTime(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("completed_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_call")),
        sa.UniqueConstraint("account_id", "callback_id", name=op.f("uq_workflow_call_account_id_callback_id")),
    )
    with op.batch_alter_table("workflow_call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workflow_call_message_id"), ["message_id"], unique=False)
        batch_op.create_index(
            "ix_workflow_call_open",
            ["not_before"],
            unique=False,
            sqlite_where=sa.text("state <> 'done'"),
            postgresql_where=sa.text("state <> 'done'"),
        )


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("workflow_call", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_workflow_call_open",
            sqlite_where=sa.text("state <> 'done'"),
            postgresql_where=sa.text("state <> 'done'"),
        )
        batch_op.drop_index(batch_op.f("ix_workflow_call_message_id"))

    op.drop_table("workflow_call")
    with op.batch_alter_table("install_attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_install_attempt_expires_at"))

    op.drop_table("install_attempt")
    with op.batch_alter_table("import_trouble", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_trouble_account_id"))

    op.drop_table("import_trouble")
    op.drop_table("import_run")
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasure_account_id"))

    op.drop_table("erasure")
    op.drop_table("cursor")
    with op.batch_alter_table("account_secret", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_secret_account_id_name"))

    op.drop_table("account_secret")
