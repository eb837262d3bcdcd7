"""Rows of principals: people, API keys, their roles per desk, and sessions."""

from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from app.store.tables.columns import instant_column, table_of, text_column


class ApiKeyRow(SQLModel, table=True):
    """An API key, by the hash of its secret. The secret itself is not stored.

    `parent`, `desk`, `scopes` and `expires_at` are of the release before: it stored sessions here too, each with an
    end, and reads `desk` and `scopes` where this one reads `principal_role`. They go with the next release.
    """

    __tablename__: ClassVar[Any] = "api_key"

    id: str = text_column(primary_key=True)
    hash: str = text_column()
    parent: str | None = text_column(nullable=True)
    """The key that a session of the release before was signed in with."""
    desk: str = text_column()
    """One desk or `*`; empty where the key has several, so that the release before shows it none."""
    scopes: str = text_column()
    created_at: int = instant_column()
    expires_at: int | None = instant_column(nullable=True)
    revoked_at: int | None = instant_column(nullable=True)

    __table_args__ = (UniqueConstraint("hash", name="api_key_hash"),)


class PrincipalRoleRow(SQLModel, table=True):
    """A role of a principal on a desk, or on `*`."""

    __tablename__: ClassVar[Any] = "principal_role"

    principal: str = text_column(primary_key=True)
    desk: str = text_column(primary_key=True)
    role: str = text_column(primary_key=True)


class SessionRow(SQLModel, table=True):
    """A browser that is signed in, by the hash of its cookie's secret. It has the roles of its principal."""

    __tablename__: ClassVar[Any] = "session"

    id: str = text_column(primary_key=True)
    hash: str = text_column()
    kind: str = text_column()
    """What the principal is: `user`, `key` or `guest`. A process of the release before accepts no `user`."""
    principal: str = text_column()
    """The id of the person or key that signed in; of a guest, the session's own."""
    created_at: int = instant_column()
    expires_at: int = instant_column()
    revoked_at: int | None = instant_column(nullable=True)
    method: str | None = text_column(nullable=True)
    """How it was signed in; none for a session of the release before."""
    address: str | None = text_column(nullable=True)
    """The sender's address, for the person to recognise the session by."""
    agent: str | None = text_column(nullable=True)
    """The browser's own description of itself, cut to a length."""
    id_token: str | None = text_column(nullable=True)
    """The identity provider's token, by which it ends its own session at sign-out. Encrypted by the vault."""

    __table_args__ = (
        UniqueConstraint("hash", name="session_hash"),
        Index("session_expired", "expires_at"),  # serves the removal of those that have ended
        Index("session_principal", "principal"),  # serves the sessions of a person, and their end
    )


class PersonRow(SQLModel, table=True):
    """A person who signs in. Never deleted, so that a name in the record stays the same person's."""

    __tablename__: ClassVar[Any] = "person"

    id: str = text_column(primary_key=True)
    name: str = text_column()
    """What the person signs in with, and what records show: in lower case."""
    display_name: str | None = text_column(nullable=True)
    password: str | None = text_column(nullable=True)
    """The argon2id hash with its parameters."""
    totp: str | None = text_column(nullable=True)
    """The secret of the authenticator app. Encrypted by the vault."""
    totp_confirmed_at: int | None = instant_column(nullable=True)
    """When the first code proved that the app has the secret; none: it is not asked for yet."""
    totp_step: int | None = instant_column(nullable=True)
    """The time step of the last accepted code: no code is accepted twice."""
    issuer: str | None = text_column(nullable=True)
    subject: str | None = text_column(nullable=True)
    """The person's id at that identity provider."""
    language: str | None = text_column(nullable=True)
    time_zone: str | None = text_column(nullable=True)
    default_view: str | None = text_column(nullable=True)
    """The saved view that Now opens with: the id of one of their own or of one of a desk."""
    created_at: int = instant_column()
    created_by: str = text_column()
    disabled_at: int | None = instant_column(nullable=True)

    __table_args__ = (
        UniqueConstraint("name", name="person_name"),
        UniqueConstraint("issuer", "subject", name="person_subject"),
    )


class RecoveryCodeRow(SQLModel, table=True):
    """A code in place of one of the authenticator app, by its hash. It is deleted when it is used."""

    __tablename__: ClassVar[Any] = "recovery_code"

    person: str = text_column(primary_key=True)
    hash: str = text_column(primary_key=True)


class OneTimeRow(SQLModel, table=True):
    """A secret that is accepted once: a link that signs a person in, or a sign-in that awaits its second factor."""

    __tablename__: ClassVar[Any] = "one_time"

    hash: str = text_column(primary_key=True)
    purpose: str = text_column()
    person: str = text_column()
    method: str = text_column()
    """How the person is being signed in."""
    created_at: int = instant_column()
    expires_at: int = instant_column()
    tries: int = instant_column()
    """Wrong codes so far."""
    id_token: str | None = text_column(nullable=True)
    """The identity provider's token. Encrypted by the vault."""

    __table_args__ = (
        Index("one_time_expired", "expires_at"),  # serves the removal of those that have ended
        Index("one_time_person", "person"),  # serves the end of a person's links
    )


class FailedSignInRow(SQLModel, table=True):
    """Failed sign-ins in a row, by a digest of the name and the address that they are counted by."""

    __tablename__: ClassVar[Any] = "failed_sign_in"

    key: str = text_column(primary_key=True)
    failures: int = instant_column()
    last_at: int = instant_column()

    __table_args__ = (
        Index("failed_sign_in_last", "last_at"),  # serves the removal of the least recent
    )


class CalendarFeedRow(SQLModel, table=True):
    """An address of a calendar's `.ics`, by the hash of the secret in it."""

    __tablename__: ClassVar[Any] = "calendar_feed"

    id: str = text_column(primary_key=True)
    desk: str = text_column()
    calendar: str = text_column()
    hash: str = text_column()
    note: str = text_column()
    created_by: str = text_column()
    """The name of the person, or the id of the key, that made it."""
    created_at: int = instant_column()

    __table_args__ = (
        UniqueConstraint("hash", name="calendar_feed_hash"),
        Index("calendar_feed_desk", "desk", "calendar"),  # serves the list of a calendar's feeds
    )


api_key = table_of(ApiKeyRow)
principal_role = table_of(PrincipalRoleRow)
session = table_of(SessionRow)
calendar_feed = table_of(CalendarFeedRow)
person = table_of(PersonRow)
recovery_code = table_of(RecoveryCodeRow)
one_time = table_of(OneTimeRow)
failed_sign_in = table_of(FailedSignInRow)
