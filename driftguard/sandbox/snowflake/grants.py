"""Who may see and do what: roles, privileges on objects, ownership.

Only the part that a pipeline needs: a role without any privilege on an object does not see it ("an object is listed
when the role has at least one privilege on it"; SHOW and INFORMATION_SCHEMA pages), changing a table takes OWNERSHIP
("ALTER TABLE"), and a role inherits from the roles granted to it. ACCOUNTADMIN and SYSADMIN see and own everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import Catalog, Database, Located, Schema, Thing
from driftguard.sandbox.snowflake.names import dotted

ADMINS = frozenset({"ACCOUNTADMIN", "SYSADMIN", "SECURITYADMIN", "ORGADMIN"})
SYSTEM_ROLES = ("ACCOUNTADMIN", "ORGADMIN", "PUBLIC", "SECURITYADMIN", "SYSADMIN", "USERADMIN")

PRIVILEGES: dict[str, frozenset[str]] = {
    "DATABASE": frozenset({"USAGE", "MONITOR", "MODIFY", "CREATE SCHEMA", "CREATE DATABASE ROLE", "OWNERSHIP"}),
    "SCHEMA": frozenset(
        {"USAGE", "MONITOR", "MODIFY", "OWNERSHIP", "EVOLVE SCHEMA"}
        | {
            f"CREATE {kind}"
            for kind in (
                "TABLE",
                "VIEW",
                "FILE FORMAT",
                "STAGE",
                "PIPE",
                "TASK",
                "PROCEDURE",
                "FUNCTION",
                "STREAM",
                "SEQUENCE",
                "MASKING POLICY",
                "ROW ACCESS POLICY",
                "TAG",
            )
        }
    ),
    "TABLE": frozenset(
        {
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
            "TRUNCATE",
            "REFERENCES",
            "REBUILD",
            "EVOLVE SCHEMA",
            "APPLYBUDGET",
            "OWNERSHIP",
        }
    ),
    "VIEW": frozenset({"SELECT", "REFERENCES", "OWNERSHIP"}),
    "PIPE": frozenset({"MONITOR", "OPERATE", "APPLYBUDGET", "OWNERSHIP"}),
    "TASK": frozenset({"MONITOR", "OPERATE", "APPLYBUDGET", "OWNERSHIP"}),
    "PROCEDURE": frozenset({"USAGE", "OWNERSHIP"}),
    "STAGE": frozenset({"USAGE", "READ", "WRITE", "OWNERSHIP"}),
    "FILE FORMAT": frozenset({"USAGE", "OWNERSHIP"}),
    "STREAM": frozenset({"SELECT", "OWNERSHIP"}),
    "MASKING POLICY": frozenset({"APPLY", "OWNERSHIP"}),
    "ROW ACCESS POLICY": frozenset({"APPLY", "OWNERSHIP"}),
    "TAG": frozenset({"APPLY", "OWNERSHIP"}),
    "WAREHOUSE": frozenset({"USAGE", "OPERATE", "MONITOR", "MODIFY", "OWNERSHIP"}),
    "ACCOUNT": frozenset(
        {
            "CREATE DATABASE",
            "CREATE ROLE",
            "CREATE WAREHOUSE",
            "EXECUTE TASK",
            "EXECUTE MANAGED TASK",
            "MONITOR EXECUTION",
            "MONITOR USAGE",
            "MANAGE GRANTS",
            "IMPORT SHARE",
            "MONITOR",
            "APPLY MASKING POLICY",
            "APPLY ROW ACCESS POLICY",
            "APPLY TAG",
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """One privilege given to one role."""

    privilege: str
    kind: str
    object_id: int
    name: str
    role: str
    option: bool
    by: str
    created: int


@dataclass(frozen=True, slots=True)
class Future:
    """GRANT … ON FUTURE: what every new object of a kind in a place gets."""

    privilege: str
    kind: str
    database: str
    schema: str | None
    role: str
    by: str


@dataclass(slots=True)
class Role:
    name: str
    created: int
    granted: set[str] = field(default_factory=set)
    comment: str | None = None


class Grants:
    """All roles and grants of the account."""

    def __init__(self) -> None:
        self.roles: dict[str, Role] = {name: Role(name, 0) for name in SYSTEM_ROLES}
        self.grants: list[Grant] = []
        self.future: list[Future] = []
        self.database_roles: dict[str, set[str]] = {}  # of the SNOWFLAKE database; ALL: IMPORTED PRIVILEGES

    def role(self, name: str) -> Role:
        found = self.roles.get(name)
        if found is None:
            raise errors.not_exists("Role", name)
        return found

    def reach(self, role: str) -> set[str]:
        """The role itself, PUBLIC, and every role that it inherits."""
        seen: set[str] = set()
        todo = [role, "PUBLIC"]
        while todo:
            name = todo.pop()
            if name not in seen and name in self.roles:
                seen.add(name)
                todo += self.roles[name].granted
        return seen

    def admin(self, role: str) -> bool:
        return bool(self.reach(role) & ADMINS)

    def held(self, role: str, kind: str, object_id: int, owner: str) -> set[str]:
        """The privileges that `role` has on an object."""
        if self.admin(role):
            return {"OWNERSHIP", *PRIVILEGES.get(kind, ())}
        reach = self.reach(role)
        out = {
            one.privilege
            for one in self.grants
            if one.object_id == object_id and one.kind == kind and one.role in reach
        }
        if owner in reach:
            out |= {"OWNERSHIP", *PRIVILEGES.get(kind, ())}
        return out

    def global_privilege(self, role: str, privilege: str) -> bool:
        return privilege in self.held(role, "ACCOUNT", 0, "ACCOUNTADMIN")

    def account_usage(self, role: str) -> set[str]:
        """What of ACCOUNT_USAGE the role may read, by database role."""
        reach = self.reach(role)
        found = {one for name in reach for one in self.database_roles.get(name, ())}
        return found | {"ALL"} if "ACCOUNTADMIN" in reach else found

    def require_any(self, role: str, privileges: tuple[str, ...], thing: Thing) -> None:
        """Refuses (003001) unless the role has one of the privileges."""
        if not self.held(role, thing.kind, thing.id, thing.owner) & set(privileges):
            raise errors.insufficient(thing.kind, thing.name)

    def sees(self, role: str, thing: Thing) -> bool:
        """Whether any privilege on this very object is there."""
        if self.held(role, thing.kind, thing.id, thing.owner):
            return True
        return thing.kind in ("PIPE", "TASK") and self.global_privilege(role, "MONITOR EXECUTION")

    def enters(self, role: str, database: Database, schema: Schema | None) -> bool:
        """USAGE, or any other privilege, on the database and the schema."""
        if not self.held(role, "DATABASE", database.id, database.owner):
            return False
        return schema is None or bool(self.held(role, "SCHEMA", schema.id, schema.owner))

    def visible(self, role: str, found: Located[Any]) -> bool:
        if self.admin(role):
            return True
        return self.enters(role, found.database, found.schema) and self.sees(role, found.thing)

    def require(self, role: str, privilege: str, found: Located[Any]) -> None:
        """Refuses (003001) unless the role may; missing sight is 002003, which looks like a missing object."""
        if not self.visible(role, found):
            raise errors.not_exists(found.thing.kind, found.full_name)
        if privilege not in self.held(role, found.thing.kind, found.thing.id, found.thing.owner):
            raise errors.insufficient(found.thing.kind, found.thing.name)

    def add(self, grant: Grant) -> None:
        same = (grant.privilege, grant.kind, grant.object_id, grant.role)
        if not any((one.privilege, one.kind, one.object_id, one.role) == same for one in self.grants):
            self.grants.append(grant)

    def remove(self, privilege: str, kind: str, object_id: int, role: str) -> None:
        self.grants = [
            one
            for one in self.grants
            if not (
                one.kind == kind
                and one.object_id == object_id
                and one.role == role
                and privilege in ("ALL", one.privilege)
            )
        ]

    def forget(self, object_id: int) -> None:
        """The object is gone."""
        self.grants = [one for one in self.grants if one.object_id != object_id]

    def copy(self, old_id: int, new_id: int) -> None:
        """COPY GRANTS: the new object has the old one's grants, but for OWNERSHIP."""
        self.grants += [
            replace(one, object_id=new_id)
            for one in self.grants
            if one.object_id == old_id and one.privilege != "OWNERSHIP"
        ]

    def apply_future(self, catalog: Catalog, marker: int, now: int) -> None:
        """Future grants for what was made since `marker`, an id; those of a schema replace those of its database."""
        for future in self.future:
            found: list[tuple[Database, Schema, Thing]]
            if future.kind == "SCHEMA":
                found = [(database, schema, schema) for database, schema in catalog.schemas()]
            else:
                found = [(one.database, one.schema, one.thing) for one in catalog.everything(future.kind)]
            for database, schema, thing in found:
                if thing.id <= marker or database.name != future.database or future.schema not in (None, schema.name):
                    continue
                own = any(
                    (other.kind, other.database, other.schema) == (future.kind, database.name, schema.name)
                    for other in self.future
                )
                if future.schema is None and own:
                    continue
                parts = (
                    (database.name, schema.name)
                    if future.kind == "SCHEMA"
                    else (database.name, schema.name, thing.name)
                )
                self.add(
                    Grant(future.privilege, future.kind, thing.id, dotted(*parts), future.role, False, future.by, now)
                )
