"""Who may come in: accounts with hashed passwords, and the sessions of those who have signed in."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import IntegrityError

from shop import BadInput, ToolError
from shop.session import utc_now
from shop.types import Role

AccountRole = Role
ROLES: tuple[AccountRole, ...] = ("manager", "approver", "support", "customer")  # the one that may do most first
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
SESSION_LASTS = timedelta(days=14)
MOST_FAILURES, FAILURES_LAST = 8, timedelta(minutes=15)

# Not among the shop's tables: a demo shop is rebuilt, a backup of the shop is handed around, passwords are neither.
metadata = MetaData()
accounts = Table(
    "accounts",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),  # what one signs in with, lower case
    Column("role", String, nullable=False),
    Column("password", String, nullable=False, default=""),  # Argon2id; empty where another house vouches
    Column("locale", String, nullable=False, default=""),
    Column("is_active", Boolean, nullable=False, default=True),
    Column("failures", Integer, nullable=False, default=0),  # wrong passwords since the last right one
    Column("failed_at", DateTime),
    Column("created_at", DateTime, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    Column("token", String, primary_key=True),  # SHA-256 of what the browser holds
    Column("account_id", String, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("expires_at", DateTime, nullable=False),
)


@dataclass(frozen=True)
class Account:
    """A person who may sign in; `locale` is empty where the browser decides."""

    id: str
    name: str
    role: AccountRole
    locale: str = ""
    is_active: bool = True


class Accounts:
    """The accounts of one installation.

    Args:
        engine: A database of its own, or of the house.
        now: The clock, UTC without a zone.
        hasher: Argon2id with the library's parameters.
    """

    def __init__(
        self, engine: Engine, now: Callable[[], datetime] = utc_now, hasher: PasswordHasher | None = None
    ) -> None:
        metadata.create_all(engine)
        self._engine = engine
        self._now = now
        self._hasher = hasher or PasswordHasher()
        # Checked where there is no such account, so that the time taken does not tell who has one.
        self._nobody = self._hasher.hash(secrets.token_hex())

    @classmethod
    def open(cls, url: str) -> Accounts:
        """The accounts at an SQLAlchemy URL; a file is created where there is none."""
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            file = Path(parsed.database)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
        return cls(create_engine(parsed, hide_parameters=True))

    def is_empty(self) -> bool:
        """Whether nobody has an account yet."""
        return not self._count(accounts.c.id.is_not(None))

    def all(self) -> list[Account]:
        """Every account by name."""
        with self._engine.connect() as connection:
            return [_account(row) for row in connection.execute(select(accounts).order_by(accounts.c.name)).mappings()]

    def create(self, name: str, password: str, role: AccountRole, locale: str = "") -> Account:
        """A new local account.

        Raises:
            BadInput: The name is taken or empty, the password too short or too long, or there is no such role.
        """
        return self._insert(_name(name), self._hashed(password), role, locale)

    def verify(self, name: str, password: str) -> Account:
        """The account with this name and password.

        Raises:
            ToolError: There is none, it was closed, or too many passwords were wrong; not said which of the first two.
        """
        row = self._row(accounts.c.name == name.strip().lower())
        if row is not None and self._is_locked(row):
            raise ToolError("Too many wrong passwords for this account; try again in a quarter of an hour.")
        try:
            self._hasher.verify((row["password"] if row else "") or self._nobody, password[:LONGEST_PASSWORD])
        except (VerifyMismatchError, InvalidHashError):
            row = self._failed(row)
        if row is None or not row["password"] or not row["is_active"]:
            raise ToolError("Name and password do not fit together; check them, or ask a manager for a new password.")
        fresh = {"password": self._hasher.hash(password)} if self._hasher.check_needs_rehash(row["password"]) else {}
        self._change(row["id"], {"failures": 0, **fresh})
        return _account(row)

    def vouched(self, name: str, role: AccountRole) -> Account:
        """The account of somebody whom another house (an OIDC issuer, a proxy) has signed in; made where it is new.

        An account that has a password here stays with it: another house may not take it over.

        Raises:
            ToolError: The account was closed here, or is a local one.
        """
        row = self._row(accounts.c.name == _name(name))
        if row is None:
            return self._insert(_name(name), "", role, "")
        if not row["is_active"] or row["password"]:
            raise ToolError("This account cannot be used that way; sign in with its password, or ask a manager.")
        if row["role"] != role:
            self._change(row["id"], {"role": role})
        return _account({**row, "role": role})

    def change(
        self,
        account_id: str,
        *,
        role: AccountRole | None = None,
        password: str | None = None,
        locale: str | None = None,
        is_active: bool | None = None,
    ) -> None:
        """Change an account; a new password, a new role or a closed door ends its sessions.

        Raises:
            BadInput: Something given cannot be used, or the last manager would be gone.
        """
        given: dict[str, Any] = {"locale": locale, "is_active": is_active, "role": role}
        values = {key: value for key, value in given.items() if value is not None}
        if role is not None and role not in ROLES:
            raise BadInput(f"There is no role {role}; the roles are {', '.join(ROLES)}.")
        if (role not in (None, "manager") or is_active is False) and self._is_last_manager(account_id):
            raise BadInput("This is the last manager; make another account a manager first.")
        if password is not None:
            values["password"] = self._hashed(password)
        self._change(account_id, values)
        if password is not None or role is not None or is_active is False:
            with self._engine.begin() as connection:
                connection.execute(delete(sessions).where(sessions.c.account_id == account_id))

    def start_session(self, account: Account) -> str:
        """Sign an account in; returns the token for its browser, which is stored nowhere else."""
        token = secrets.token_urlsafe(32)
        with self._engine.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at < self._now()))
            row = {"token": _digest(token), "account_id": account.id, "expires_at": self._now() + SESSION_LASTS}
            connection.execute(insert(sessions).values(row))
        return token

    def account_of(self, token: str) -> Account | None:
        """Who holds a token; None where it is unknown or lapsed, or the account was closed."""
        is_hers = (sessions.c.token == _digest(token), sessions.c.expires_at > self._now(), accounts.c.is_active)
        query = select(accounts).join(sessions, sessions.c.account_id == accounts.c.id)
        with self._engine.connect() as connection:
            row = connection.execute(query.where(*is_hers)).mappings().first()
        return None if row is None else _account(row)

    def account(self, account_id: str) -> Account | None:
        """The account with this id."""
        row = self._row(accounts.c.id == account_id)
        return None if row is None else _account(row)

    def end_session(self, token: str) -> None:
        """Sign out."""
        with self._engine.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.token == _digest(token)))

    def _insert(self, name: str, password: str, role: AccountRole, locale: str) -> Account:
        if role not in ROLES:
            raise BadInput(f"There is no role {role}; the roles are {', '.join(ROLES)}.")
        row = {
            "id": secrets.token_hex(8),
            "name": name,
            "role": role,
            "password": password,
            "locale": locale,
            "is_active": True,
            "created_at": self._now(),
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(accounts).values(row))
        except IntegrityError as error:
            raise BadInput(f"There is an account called {name} already; choose another name.") from error
        return _account(row)

    def _hashed(self, password: str) -> str:
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise BadInput(f"A password has between {SHORTEST_PASSWORD} and {LONGEST_PASSWORD} characters.")
        return self._hasher.hash(password)

    def _is_locked(self, row: Any) -> bool:
        failed_at = row["failed_at"]
        return row["failures"] >= MOST_FAILURES and failed_at is not None and self._now() - failed_at < FAILURES_LAST

    def _failed(self, row: Any) -> None:
        if row is not None:
            recent = row["failed_at"] is not None and self._now() - row["failed_at"] < FAILURES_LAST
            failures = row["failures"] + 1 if recent else 1
            self._change(row["id"], {"failures": failures, "failed_at": self._now()})

    def _is_last_manager(self, account_id: str) -> bool:
        managers = (accounts.c.role == "manager") & accounts.c.is_active
        is_one = self._count(managers & (accounts.c.id == account_id))
        return bool(is_one) and not self._count(managers & (accounts.c.id != account_id))

    def _change(self, account_id: str, values: dict[str, Any]) -> None:
        if values:
            with self._engine.begin() as connection:
                connection.execute(update(accounts).where(accounts.c.id == account_id).values(values))

    def _row(self, condition: Any) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(select(accounts).where(condition)).mappings().first()

    def _count(self, condition: Any) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(accounts).where(condition)).scalar_one())


def roles_in(text: str) -> dict[str, AccountRole]:
    """`buyers=manager,helpdesk=support` → which group of the other house has which role here.

    Raises:
        BadInput: A pair is not group=role, or the role does not exist.
    """
    found: dict[str, AccountRole] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        group, equals, role = pair.partition("=")
        if not equals or not group.strip() or role.strip() not in ROLES:
            raise BadInput(f"The role {pair!r} is not group=role, such as buyers=manager; roles: {', '.join(ROLES)}.")
        found[group.strip()] = next(known for known in ROLES if known == role.strip())
    return found


def role_for(groups: Any, roles: Mapping[str, AccountRole]) -> AccountRole | None:
    """The most that somebody's groups entitle her to; None where to nothing."""
    named = [groups] if isinstance(groups, str) else list(groups or [])
    held = {roles[group] for group in named if group in roles}
    return next((role for role in ROLES if role in held), None)


def _account(row: Any) -> Account:
    return Account(row["id"], row["name"], row["role"], row["locale"], row["is_active"])


def _name(name: str) -> str:
    plain = name.strip().lower()
    if not plain or len(plain) > 120 or any(character.isspace() for character in plain):
        raise BadInput("An account's name is one word of up to 120 characters, such as an e-mail address.")
    return plain


def _digest(token: str) -> str:
    # A token is random, 256 bits: a plain hash cannot be searched, and is quick enough for every request.
    return hashlib.sha256(token.encode()).hexdigest()
