"""Secrets in the database: encrypted by a key that is not in it, and by a new key after a rotation."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.flow.process.invariants import Verdict, run_checks
from app.settings import Settings
from app.store.engine import encrypted
from app.store.engine.database import Database
from app.store.engine.vault import UnreadableSecret, UnusableKey, Vault, vault_of_settings
from app.store.inbound import connections
from app.store.outbound import subscriptions
from app.store.outbound.subscriptions import Channel, Secret, Subscription, SubscriptionState
from tests.service import Service, WallClock

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
URL = "https://example.net/hook?token=url-secret"
HELD = "SELECT secrets FROM connection UNION ALL SELECT secrets FROM subscription UNION ALL SELECT url FROM subscription"


def _with_keys(settings: Settings, *keys: str) -> Settings:
    return settings.model_copy(update={"secret_keys": keys})


def _fill(database: Database) -> None:
    subscription = Subscription(
        id="sub_1",
        desk="haisoft",
        channel=Channel.WEBHOOK,
        url=URL,
        kinds=("clock.breached",),
        filter={},
        secrets=(Secret("signing-secret"),),
        language="en",
        description="",
        state=SubscriptionState.ACTIVE,
        created_at=1,
        wanted_since=1,
    )
    database.write_now(lambda conn, _: subscriptions.add(conn, subscription))
    database.write_now(
        lambda conn, now: connections.add_secret(conn, "haisoft", "zammad", "hook-secret", now, overlap=1)
    )


def _raw(database: Database) -> str:
    return " ".join(row[0] for row in database.read_now(lambda conn: conn.exec_driver_sql(HELD).all()))


def _read(database: Database) -> tuple[str, str, str]:
    found = database.read_now(lambda conn: subscriptions.find(conn, "sub_1"))
    connection = database.read_now(lambda conn: connections.find(conn, "haisoft", "zammad"))
    assert found is not None
    assert connection is not None
    return found.url, found.secrets[0].secret, connection.secrets[0].text


ALL_READ = (URL, "signing-secret", "hook-secret")


def test_with_a_key_no_secret_stands_readable_in_the_database(
    database_settings: Settings, wall_clock: WallClock
) -> None:
    with Database(_with_keys(database_settings, NEW), wall_clock) as database:
        _fill(database)
        assert _read(database) == ALL_READ
        assert "secret" not in _raw(database)
        assert database.read_now(encrypted.outdated) == (0, 3)


def test_without_a_key_secrets_are_readable_and_later_encrypted_by_a_rotation(
    database_settings: Settings, wall_clock: WallClock
) -> None:
    with Database(database_settings, wall_clock) as database:
        _fill(database)
        assert "hook-secret" in _raw(database)
    with Database(_with_keys(database_settings, NEW), wall_clock) as database:
        assert _read(database) == ALL_READ
        assert database.read_now(encrypted.outdated) == (3, 3)
        assert database.write_now(lambda conn, _: encrypted.rotate(conn)) == 3
        assert database.write_now(lambda conn, _: encrypted.rotate(conn)) == 0
        assert "secret" not in _raw(database)
        assert _read(database) == ALL_READ


def test_after_a_rotation_the_old_key_is_needed_no_more(
    database_settings: Settings, wall_clock: WallClock
) -> None:
    with Database(_with_keys(database_settings, OLD), wall_clock) as database:
        _fill(database)
    with Database(_with_keys(database_settings, NEW, OLD), wall_clock) as database:
        assert _read(database) == ALL_READ
        database.write_now(lambda conn, _: encrypted.rotate(conn))
    with Database(_with_keys(database_settings, NEW), wall_clock) as database:
        assert _read(database) == ALL_READ


@pytest.mark.parametrize("keys", [(), (OLD,)])
def test_a_secret_of_a_key_that_is_not_given_says_which_setting_lacks_it(
    database_settings: Settings, wall_clock: WallClock, keys: tuple[str, ...]
) -> None:
    with Database(_with_keys(database_settings, NEW), wall_clock) as database:
        _fill(database)
    with pytest.raises(UnreadableSecret, match="SLATIMER_SECRET_KEYS"):
        Database(_with_keys(database_settings, *keys), wall_clock)


@pytest.mark.parametrize(("content", "reason"), [(b"\xff\xfe", "no text"), (b"\n", "no key")])
def test_a_file_of_keys_without_one_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "keys"
    file.write_bytes(content)
    with pytest.raises(UnusableKey, match=reason):
        vault_of_settings(Settings(secret_keys_file=file))


def test_a_key_that_is_none_is_refused_with_how_to_make_one() -> None:
    with pytest.raises(UnusableKey, match="slatimer secrets new-key"):
        Vault(["short"])


def test_doctor_says_how_many_secrets_are_not_encrypted_by_the_newest_key(service: Service) -> None:
    _fill(service.database)
    with Database(_with_keys(service.settings, NEW), service.clock) as database:
        checks = database.read_now(lambda conn: list(run_checks(conn, service.catalogue, database.now())))
    (check,) = [each for each in checks if each.name == "secrets are encrypted by the newest key"]
    assert (check.verdict, check.detail) == (
        Verdict.WARNING,
        "3 of 3 are not; run: slatimer secrets rotate",
    )
