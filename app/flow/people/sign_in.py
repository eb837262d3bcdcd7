"""Signing people in: by a password, a code after it, a one-time link, or an identity provider.

Every way ends in `_admitted`, in one write transaction: it starts a new session with a new secret, or awaits the second
factor. An answer does not show why a password was refused: an unknown name, a disabled person and a wrong password are
answered alike, after the same work.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.flow.people import group_roles, totp
from app.flow.people.identity import Identity
from app.flow.people.passwords import BusyHashing, Passwords
from app.flow.people.throttle import Throttle
from app.principal import EVERY, Principal
from app.settings import Settings
from app.sla.span import Micros, length_of
from app.store.audit import Actor, acting
from app.store.engine.database import Connection, Database, EveryDesk
from app.store.people import accounts, one_time, persons, second_factor, sessions
from app.store.people.names import is_name, key_of
from app.store.people.one_time import OneTime, Purpose
from app.store.people.persons import Person, Proofs
from app.store.people.sessions import Method, Origin


class Refusal(StrEnum):
    """Why a sign-in is refused."""

    WRONG_PASSWORD = "wrong_password"
    WRONG_CODE = "wrong_code"
    LINK_IS_OVER = "link_is_over"
    """Unknown, used or expired."""
    DISABLED = "disabled"
    NO_ROLE = "no_role"
    NAME_TAKEN = "name_taken"
    """The provider's name is that of a person whom it does not know."""
    FAULTY_NAME = "faulty_name"
    """The provider names a person in a way that cannot be a name here."""
    TOO_MANY_PEOPLE = "too_many_people"


_TEXT: Final = {
    Refusal.WRONG_PASSWORD: "The name or the password is wrong.",
    Refusal.WRONG_CODE: "The code is wrong, was used already or is over. Sign in again if this goes on.",
    Refusal.LINK_IS_OVER: "The link was used already, or is over. Ask for a new one.",
    Refusal.DISABLED: "This person is disabled. An administrator can enable them.",
    Refusal.NO_ROLE: "You have no role on any desk yet. Ask an administrator for one.",
    Refusal.NAME_TAKEN: "There is another person of this name. An administrator can name you by your subject.",
    Refusal.FAULTY_NAME: "The identity provider gives no usable name: see SLATIMER_OIDC_NAME_CLAIM.",
    Refusal.TOO_MANY_PEOPLE: "The limit SLATIMER_PEOPLE_MAX of people is reached.",
}


class SignInRefused(ValueError):
    """The sign-in is refused. The message says what to do, and not what would help a guesser."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(_TEXT[reason])
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a request comes from. `network` is what attempts are counted by: of IPv6 the network of the address."""

    network: str
    origin: Origin
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: its secret, and the person as it acts through the session."""

    secret: str
    principal: Principal


@dataclass(frozen=True, slots=True)
class AwaitsCode:
    """The password or link is right; the code of the second factor is to be sent with this secret."""

    secret: str


Result = SignedIn | AwaitsCode
_Outcome = Result | Refusal


class SignIns:
    """Signs people in, in one process."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self.passwords = Passwords(settings)
        self.throttle = Throttle(database, settings)
        self._rules = group_roles.parse(settings.oidc_roles)

    async def by_password(self, name: str, password: str, sender: Sender) -> Result:
        """Sign in with a password. Raises SignInRefused, SlowDown and BusyHashing."""
        key = key_of(name)
        proofs = await self._database.look_up(lambda conn: persons.proofs_of(conn, key))
        encoded = await self.prove(key, proofs, password, sender)
        result = await self._write(lambda conn, now: self._after_password(conn, now, key, encoded, sender))
        if isinstance(result, SignedIn):
            await self.throttle.forget(key, sender.network)
        return result

    async def prove(self, key: str, proofs: Proofs | None, password: str, sender: Sender) -> str:
        """Check a person's password; none matches where `proofs` has none. Returns its hash as it is stored now.

        Raises SignInRefused, SlowDown and BusyHashing.
        """
        encoded = None if proofs is None else proofs.password
        await self.throttle.begin(key, sender.network)
        try:
            verified = await self.passwords.verify(encoded, password, sender.network)
        except BusyHashing:
            await self.throttle.withdraw(key, sender.network)
            raise
        if not verified.matches or proofs is None or encoded is None:
            raise SignInRefused(Refusal.WRONG_PASSWORD)
        await self.throttle.withdraw(key, sender.network)
        if not verified.outdated:
            return encoded
        newer = await self.passwords.hash_again(password, sender.network)
        await self._database.write(
            lambda conn, _: persons.store_rehashed(conn, proofs.person, encoded, newer), EveryDesk.SIGN_IN
        )
        return newer

    async def by_code(self, secret: str, code: str, sender: Sender) -> Result:
        """Finish a sign-in with a code of the app, or a recovery code. Raises SignInRefused and SlowDown."""
        key = await self._person_of_code(secret)
        # Counted with the wrong passwords, which a right one does not clear before its code is right too.
        await self.throttle.begin_code(key, sender.network)
        result = await self._write(lambda conn, now: self._after_code(conn, now, secret, code, sender))
        await self.throttle.withdraw_code(key, sender.network)
        await self.throttle.forget(key, sender.network)
        return result

    async def by_link(self, secret: str, sender: Sender) -> Result:
        """Sign in by a one-time link. Raises SignInRefused."""
        return await self._write(lambda conn, now: self._after_link(conn, now, secret, sender))

    async def by_provider(self, identity: Identity, sender: Sender) -> Result:
        """Sign in whom the identity provider names. Rules of groups replace their roles. Raises SignInRefused."""
        return await self._write(lambda conn, now: self._after_provider(conn, now, identity, sender))

    async def _person_of_code(self, secret: str) -> str:
        """The name of the person of whom a code is awaited. Raises SignInRefused."""
        now = self._database.now()

        def read(conn: Connection) -> Person | None:
            found = one_time.find(conn, Purpose.SECOND_FACTOR, secret, now)
            return None if found is None else persons.with_id(conn, found.person)

        person = await self._database.look_up(read)
        if person is None:
            raise SignInRefused(Refusal.WRONG_CODE)
        return person.name

    def close(self) -> None:
        """Finish the hashes that run."""
        self.passwords.close()

    async def _write(self, work: Callable[[Connection, Micros], _Outcome]) -> Result:
        # A refusal is returned and not raised inside: what it has counted must be committed.
        outcome = await self._database.write(work, EveryDesk.SIGN_IN)
        if isinstance(outcome, Refusal):
            raise SignInRefused(outcome)
        return outcome

    def _after_password(
        self, conn: Connection, now: Micros, key: str, encoded: str, sender: Sender
    ) -> _Outcome:
        person = persons.named(conn, key)
        # A password that was changed while the old one was hashed signs no one in.
        if person is None or persons.proofs(conn, person.id).password != encoded:
            return Refusal.WRONG_PASSWORD
        return self._admitted(conn, now, person, Method.PASSWORD, sender)

    def _after_link(self, conn: Connection, now: Micros, secret: str, sender: Sender) -> _Outcome:
        found = one_time.find(conn, Purpose.LINK, secret, now)
        person = None if found is None else persons.with_id(conn, found.person)
        if found is None or person is None or not one_time.use(conn, found):
            return Refusal.LINK_IS_OVER
        return self._admitted(conn, now, person, Method.LINK, sender)

    def _after_code(self, conn: Connection, now: Micros, secret: str, code: str, sender: Sender) -> _Outcome:
        found = one_time.find(conn, Purpose.SECOND_FACTOR, secret, now)
        person = None if found is None else persons.with_id(conn, found.person)
        if found is None or person is None:
            return Refusal.WRONG_CODE
        if not accepts_code(conn, now, person, code):
            one_time.count_try(conn, found, self._settings.second_factor_tries)
            return Refusal.WRONG_CODE
        if not one_time.use(conn, found):
            return Refusal.WRONG_CODE
        return self._admitted(conn, now, person, found.method, sender, proved=found)

    def _after_provider(self, conn: Connection, now: Micros, identity: Identity, sender: Sender) -> _Outcome:
        _act(identity.name or identity.subject, sender)
        person = self._known_to_provider(conn, identity)
        if isinstance(person, Refusal):
            return person
        if person.disabled_at is None and self._rules:
            roles = group_roles.roles_of(self._rules, identity.groups)
            if accounts.set_roles(conn, person, roles, EVERY):
                person = persons.with_id(conn, person.id) or person
        return self._admitted(conn, now, person, Method.PROVIDER, sender, id_token=identity.id_token)

    def _known_to_provider(self, conn: Connection, identity: Identity) -> Person | Refusal:
        found = persons.of_provider(conn, identity.issuer, identity.subject)
        if found is not None:
            return found
        name = identity.name or identity.subject
        if not is_name(name):
            return Refusal.FAULTY_NAME
        roles = group_roles.roles_of(self._rules, identity.groups)
        if self._rules and not roles:
            return Refusal.NO_ROLE
        try:
            made = persons.add(
                conn, name, roles, most=self._settings.people_max, display_name=identity.display_name
            )
        except persons.NameTaken:
            return Refusal.NAME_TAKEN
        except persons.TooManyPeople:
            return Refusal.TOO_MANY_PEOPLE
        persons.set_provider(conn, made, identity.issuer, identity.subject)
        return made

    def _admitted(
        self,
        conn: Connection,
        now: Micros,
        person: Person,
        method: Method,
        sender: Sender,
        *,
        id_token: str | None = None,
        proved: OneTime | None = None,
    ) -> _Outcome:
        """Start a session, or await the second factor. The provider asks for its own."""
        _act(person.name, sender)
        if person.disabled_at is not None:
            return Refusal.WRONG_PASSWORD if method is Method.PASSWORD else Refusal.DISABLED
        if not person.roles:
            return Refusal.NO_ROLE
        if person.has_second_factor and proved is None and method is not Method.PROVIDER:
            until = now + length_of(self._settings.second_factor_lifetime)
            purpose = Purpose.SECOND_FACTOR
            return AwaitsCode(one_time.create(conn, purpose, person.id, method=method, expires_at=until))
        until = now + length_of(self._settings.session_lifetime)
        secret, principal = sessions.start(
            conn,
            person.principal,
            until,
            method=method,
            origin=sender.origin,
            most=self._settings.person_sessions_max,
            id_token=id_token,
        )
        return SignedIn(secret, principal)


def accepts_code(conn: Connection, now: Micros, person: Person, code: str) -> bool:
    """Whether a code is the app's present one or a recovery code, neither used before. It is used by this."""
    secret = second_factor.secret_of(conn, persons.proofs(conn, person.id))
    step = None if secret is None else totp.step_of(secret, code, now)
    if step is not None:
        return second_factor.use_step(conn, person.id, step)
    return second_factor.use_recovery_code(conn, person.id, code)


def _act(name: str, sender: Sender) -> None:
    """From here on, the person acts in this transaction: its context is its own."""
    acting.set(Actor(f"user {name}", sender.request_id, sender.origin.address))
