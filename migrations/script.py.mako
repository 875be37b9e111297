"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision if isinstance(down_revision, str) else ", ".join(down_revision or ()) or "nothing"}
Create Date: ${create_date}

Written for driftguard. Read without being run: only op calls with literal arguments belong in here.
"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels or None)}
depends_on = ${repr(depends_on)}
<% found = context.get("calls") or () %>

def upgrade() -> None:
% for call in found:
    ${call}
% endfor
% if not found:
    pass
% endif


def downgrade() -> None:
    pass  # driftguard derives it from the operations
