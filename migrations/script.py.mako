"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision if isinstance(down_revision, str) else ", ".join(down_revision or ()) or "nothing"}
Create Date: ${create_date}

Written by `driftguard plan --write`. Read without being run: only op calls with literal arguments belong in here.
"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
% for call in calls:
    ${call}
% endfor
% if not calls:
    pass
% endif
