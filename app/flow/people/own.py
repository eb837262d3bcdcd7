"""What people change about themselves: password, second factor, language and zone.

A change of how somebody signs in needs proof beyond the session's cookie: the present password, or a sign-in by link or
provider that is fresh. Who finds a browser open cannot take the account over.
"""

from app.flow.people import totp
from app.flow.people.sign_in import Refusal, Sender, SignInRefused, SignIns, accepts_code
from app.principal import Principal
from app.settings import Settings
from app.sla.span import Micros, length_of
from app.store.engine.database import Connection, Database, EveryDesk
from app.store.people import accounts, persons, second_factor, sessions
from app.store.people.persons import Person
from app.store.people.sessions import Method


class NoPerson(ValueError):
    """A key or a guest has neither password nor second factor."""


class SecondFactorIsOn(ValueError):
    """The second factor is on. Remove it before another is set up."""


class Own:
    """What the people of one process change about themselves."""

    def __init__(self, database: Database, settings: Settings, sign_ins: SignIns) -> None:
        self._database, self._settings, self._sign_ins = database, settings, sign_ins

    async def person(self, principal: Principal) -> Person:
        """The person behind a principal. Raises NoPerson."""
        found = await self._database.look_up(lambda conn: persons.with_id(conn, principal.id))
        if found is None:
            raise NoPerson("This needs a person who is signed in; a key has none of it.")
        return found

    async def set_password(self, principal: Principal, present: str | None, new: str, sender: Sender) -> None:
        """Set a password; other sessions end. Raises NoPerson, UnfitPassword, SignInRefused, SlowDown, BusyHashing."""
        person = await self.person(principal)
        self._sign_ins.passwords.check(new, person.name)
        await self._prove(person, principal, present, sender)
        encoded = await self._sign_ins.passwords.hash(new, person.name, sender.network)
        await self._database.write(
            lambda conn, _: accounts.set_password(conn, person, encoded, but=principal.session_id),
            EveryDesk.SIGN_IN,
        )

    async def prepare_second_factor(self, principal: Principal, present: str | None, sender: Sender) -> str:
        """A new secret for an app, which is asked for once it is confirmed.

        Raises SecondFactorIsOn, and what `set_password` raises.
        """
        person = await self.person(principal)
        if person.has_second_factor:
            raise SecondFactorIsOn("A second factor is set up. Remove it first.")
        await self._prove(person, principal, present, sender)
        secret = totp.new_secret()
        await self._database.write(
            lambda conn, _: second_factor.prepare(conn, person, secret), EveryDesk.SIGN_IN
        )
        return secret

    async def confirm_second_factor(self, principal: Principal, code: str) -> list[str]:
        """Turn the prepared second factor on by the app's first code. Returns the recovery codes, shown this once.

        Raises NoPerson, SecondFactorIsOn, and SignInRefused for a wrong code.
        """
        await self.person(principal)
        codes = [second_factor.new_code() for _ in range(self._settings.recovery_codes)]

        def work(conn: Connection, now: Micros) -> bool:
            person = _of(conn, principal)
            if person.has_second_factor:
                raise SecondFactorIsOn("A second factor is set up. Remove it first.")
            secret = second_factor.secret_of(conn, persons.proofs(conn, person.id))
            step = None if secret is None else totp.step_of(secret, code, now)
            if step is None:
                return False
            second_factor.confirm(conn, person, step, codes, but=principal.session_id)
            return True

        if not await self._database.write(work, EveryDesk.SIGN_IN):
            raise SignInRefused(Refusal.WRONG_CODE)
        return codes

    async def remove_second_factor(self, principal: Principal, code: str, sender: Sender) -> None:
        """Turn the second factor off, by a code of the app or a recovery code.

        Raises NoPerson, SignInRefused and SlowDown.
        """
        name = (await self.person(principal)).name

        def work(conn: Connection, now: Micros) -> bool:
            person = _of(conn, principal)
            right = accepts_code(conn, now, person, code)
            if right:
                second_factor.remove(conn, person)
            return right

        await self._sign_ins.throttle.begin_code(name, sender.network)
        if not await self._database.write(work, EveryDesk.SIGN_IN):
            raise SignInRefused(Refusal.WRONG_CODE)
        await self._sign_ins.throttle.withdraw_code(name, sender.network)

    async def _prove(self, person: Person, principal: Principal, present: str | None, sender: Sender) -> None:
        if await self._is_fresh(person, principal):
            return
        proofs = await self._database.look_up(lambda conn: persons.proofs(conn, person.id))
        await self._sign_ins.prove(person.name, proofs, present or "", sender)

    async def _is_fresh(self, person: Person, principal: Principal) -> bool:
        """Whether the session has just been signed in by what is worth a password."""
        session_id, now = principal.session_id, self._database.now()
        if session_id is None:
            return False
        session = await self._database.look_up(lambda conn: sessions.with_id(conn, session_id, now))
        if session is None or now - session.created_at > length_of(self._settings.fresh_sign_in):
            return False
        return session.method is Method.LINK or not person.has_password


def _of(conn: Connection, principal: Principal) -> Person:
    found = persons.with_id(conn, principal.id)
    if found is None:
        raise NoPerson("This needs a person who is signed in; a key has none of it.")
    return found
