"""Rows of people: names, one-time secrets, second factors and what ends a session, on both kinds of database."""

from cryptography.fernet import Fernet

from app.principal import EVERY, Role, roles_on
from app.settings import Settings
from app.sla.span import HOUR
from app.store.engine import encrypted
from app.store.engine.database import Connection, Database
from app.store.people import accounts, one_time, persons, principals, second_factor, sessions
from app.store.people.one_time import Purpose
from app.store.people.persons import NameTaken, Person, TooManyPeople
from app.store.people.sessions import Method

LEAD = roles_on(["haisoft"], [Role.LEAD])


def new_person(database: Database, name: str = "Ann", most: int = 10) -> Person:
    return database.write_now(lambda conn, _: persons.add(conn, name, LEAD, most=most))


def new_session(database: Database, person: Person) -> str:
    return database.write_now(
        lambda conn, now: sessions.start(
            conn, person.principal, now + HOUR, method=Method.PASSWORD, most=3, id_token="t"
        )
    )[0]


def is_open(database: Database, secret: str) -> bool:
    return database.read_now(lambda conn: principals.find(conn, secret, database.now())) is not None


def refusal(database: Database, name: str, most: int) -> type[ValueError] | None:
    try:
        new_person(database, name, most)
    except (NameTaken, TooManyPeople) as error:
        return type(error)
    return None


def test_a_name_belongs_to_one_person_and_the_number_of_people_is_limited(database: Database) -> None:
    assert database.read_now(principals.has_no_principal)
    new_person(database)
    assert refusal(database, " ANN ", 10) is NameTaken
    assert refusal(database, "bob", 1) is TooManyPeople
    assert not database.read_now(principals.has_no_principal)


def test_a_change_of_roles_ends_the_sessions_and_leaves_other_desks_alone(database: Database) -> None:
    person = new_person(database)
    secret = new_session(database, person)
    assert is_open(database, secret)
    hvn = frozenset({"hvn"})

    def both(conn: Connection, _: int) -> None:
        accounts.set_roles(conn, person, roles_on(["hvn"], [Role.ADMIN]), hvn)

    database.write_now(both)
    assert not is_open(database, secret)
    changed = database.read_now(lambda conn: persons.named(conn, "ann"))
    assert changed is not None
    assert changed.roles == {"haisoft": {Role.LEAD}, "hvn": {Role.ADMIN}}
    database.write_now(lambda conn, _: accounts.set_roles(conn, changed, {}, EVERY))
    assert database.read_now(lambda conn: persons.with_id(conn, person.id)).roles == {}  # type: ignore[union-attr]


def test_a_disabled_person_has_neither_sessions_nor_links(database: Database) -> None:
    person = new_person(database)
    secret = new_session(database, person)

    def link(conn: Connection, now: int) -> str:
        return one_time.create(conn, Purpose.LINK, person.id, method=Method.LINK, expires_at=now + HOUR)

    made = database.write_now(link)
    database.write_now(lambda conn, _: accounts.set_disabled(conn, person, disabled=True))
    assert not is_open(database, secret)
    found = database.read_now(lambda conn: one_time.find(conn, Purpose.LINK, made, database.now()))
    assert found is None


def test_a_one_time_secret_is_used_once_and_for_its_purpose(database: Database) -> None:
    person = new_person(database)

    def uses(conn: Connection, now: int) -> list[bool]:
        made = one_time.create(conn, Purpose.LINK, person.id, method=Method.LINK, expires_at=now + 1)
        assert one_time.find(conn, Purpose.SECOND_FACTOR, made, now) is None
        assert one_time.find(conn, Purpose.LINK, made, now + 1) is None
        found = one_time.find(conn, Purpose.LINK, made, now)
        assert found is not None
        return [one_time.use(conn, found), one_time.use(conn, found)]

    assert database.write_now(uses) == [True, False]


def test_a_step_and_a_recovery_code_are_used_once(database: Database) -> None:
    person = new_person(database)

    def uses(conn: Connection, _: int) -> list[bool]:
        second_factor.prepare(conn, person, "SECRET")
        second_factor.confirm(conn, person, 5, ["one-code", "another"], but=None)
        steps = [second_factor.use_step(conn, person.id, step) for step in (5, 6, 6, 4)]
        return [*steps, *(second_factor.use_recovery_code(conn, person.id, "One-Code ") for _ in range(2))]

    assert database.write_now(uses) == [False, True, False, False, True, False]
    assert database.read_now(lambda conn: second_factor.codes_left(conn, person.id)) == 1


def test_the_apps_secret_and_the_providers_token_are_encrypted(database_settings: Settings) -> None:
    keyed = database_settings.model_copy(update={"secret_keys": (Fernet.generate_key().decode(),)})
    with Database(keyed) as database:
        person = new_person(database)
        new_session(database, person)
        database.write_now(lambda conn, _: second_factor.prepare(conn, person, "SECRET"))
        stored = database.read_now(
            lambda conn: [
                conn.exec_driver_sql(query).scalar()
                for query in ("SELECT totp FROM person", "SELECT id_token FROM session")
            ]
        )
        assert all(str(each).startswith("fernet:") for each in stored)
        assert database.write_now(lambda conn, _: encrypted.rotate(conn)) == 0
        proofs = database.read_now(lambda conn: persons.proofs(conn, person.id))
        secret = database.read_now(lambda conn: second_factor.secret_of(conn, proofs))
        assert secret == "SECRET"
