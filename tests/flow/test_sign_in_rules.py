"""Rules of signing in that need no database: delays, codes, roles by group, names, password hashes."""

import pytest

from app.flow.people import group_roles, totp
from app.flow.people.passwords import HASHES, BusyHashing, Passwords, UnfitPassword, Verified
from app.flow.people.throttle import Delays, SlowDown
from app.principal import EVERY, Role, roles_on
from app.settings import Settings
from app.sla.span import MINUTE, SECOND
from app.store.people.attempts import Failures
from app.store.people.names import is_name

CHEAP = Settings(
    password_hash_memory=8, password_hash_passes=1, password_hash_threads=1, password_hash_queue=1
)
NOW = 1_000_000 * SECOND


DELAYS = Delays(3, SECOND, MINUTE)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (3, 0), (4, 1), (5, 2), (6, 4), (9, 32), (10, 60), (10_000, 60)]
)
def test_a_delay_doubles_after_the_free_attempts_up_to_the_longest(failures: int, seconds: int) -> None:
    assert DELAYS.delay(failures) == seconds * SECOND


def test_an_attempt_within_the_delay_is_refused_with_the_seconds_left() -> None:
    with pytest.raises(SlowDown) as refused:
        DELAYS.check(Failures(4, NOW), NOW + 1)
    assert refused.value.seconds == 1
    DELAYS.check(Failures(4, NOW), NOW + SECOND)
    DELAYS.check(None, NOW)


# The secret and the codes of RFC 6238, appendix B, of six digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    ("seconds", "code", "step"),
    [
        (59, "287082", 1),
        (89, "287 082", 1),
        (29, "287082", 1),
        (90, "287082", None),
        (1111111109, "081804", 37037036),
        (20000000000, "353130", 666666666),
        (59, "", None),
        (59, "28708²", None),
    ],
)
def test_a_code_is_accepted_in_its_time_step_and_the_ones_beside_it(
    seconds: int, code: str, step: int | None
) -> None:
    assert totp.step_of(RFC_SECRET, code, seconds * SECOND) == step


def test_the_picture_of_a_secret_is_an_svg_without_styles() -> None:
    picture = totp.picture_of(totp.new_secret(), "ann")
    assert picture.startswith("<svg")
    assert "style" not in picture


def test_groups_give_the_roles_that_their_rules_name() -> None:
    rules = group_roles.parse(["help=agent@haisoft", "help=viewer@hvn", "cn=boss,ou=x=admin@*"])
    assert group_roles.roles_of(rules, {"help", "other"}) == {
        "haisoft": {Role.AGENT},
        "hvn": {Role.VIEWER},
    }
    assert group_roles.roles_of(rules, {"cn=boss,ou=x"}) == roles_on(EVERY, [Role.ADMIN])
    assert group_roles.roles_of(rules, set()) == {}


@pytest.mark.parametrize(
    "rule", ["", "help", "help=agent", "help=push@haisoft", "=agent@haisoft", "help=agent@"]
)
def test_a_rule_that_is_no_group_role_and_desk_is_refused(rule: str) -> None:
    with pytest.raises(group_roles.FaultyGroupRole):
        group_roles.parse([rule])


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("ann", True),
        ("Ann.Lee+x@haisoft.example", True),
        ("Ánh", True),
        ("a\n", True),
        ("", False),
        ("a b", False),
        ("a/b", False),
        ("a" * 101, False),
        ("a\u202eb", False),
    ],
)
def test_a_name_has_letters_digits_and_a_few_signs(name: str, *, is_one: bool) -> None:
    assert is_name(name) is is_one


def checks() -> float:
    return HASHES.labels("check")._value.get()


async def test_a_password_for_an_unknown_name_is_hashed_as_one_for_a_known_name() -> None:
    passwords = Passwords(CHEAP)
    encoded = await passwords.hash("correct horse battery", "ann")
    assert encoded.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    before = checks()
    assert await passwords.verify(encoded, "correct horse battery", "a") == Verified(matches=True)
    assert not (await passwords.verify(encoded, "wrong", "a")).matches
    assert not (await passwords.verify(None, "correct horse battery", "a")).matches
    assert checks() == before + 3
    passwords.close()


async def test_a_hash_by_other_parameters_is_outdated() -> None:
    newer = Passwords(CHEAP.model_copy(update={"password_hash_passes": 2}))
    older = Passwords(CHEAP)
    encoded = await older.hash("correct horse battery", "ann")
    assert (await newer.verify(encoded, "correct horse battery", "a")).outdated
    older.close()
    newer.close()


@pytest.mark.parametrize("password", ["too short", "x" * 201, "ann.lee.haisoft"])
async def test_a_password_that_is_too_short_too_long_or_the_name_is_refused(password: str) -> None:
    passwords = Passwords(CHEAP)
    with pytest.raises(UnfitPassword):
        await passwords.hash(password, "ann.lee.haisoft")
    passwords.close()


async def test_the_same_characters_composed_otherwise_are_the_same_password() -> None:
    passwords = Passwords(CHEAP)
    encoded = await passwords.hash("mật khẩu của tôi", "ann")
    assert (await passwords.verify(encoded, "mật khẩu của tôi", "a")).matches
    passwords.close()


async def test_more_hashes_than_threads_and_queue_are_refused() -> None:
    passwords = Passwords(CHEAP)
    waiting = [passwords.verify(None, "x", sender) for sender in ("a", "b")]
    # Both coroutines are started before the third, and neither has ended: the event loop is not given up.
    first = [each.send(None) for each in waiting]
    assert len(first) == 2
    with pytest.raises(BusyHashing):
        await passwords.verify(None, "x", "c")
    for each in waiting:
        each.close()
    passwords.close()


def test_the_default_parameters_are_those_that_owasp_recommends() -> None:
    made = Settings()
    assert (made.password_hash_memory, made.password_hash_passes) == (19 * 1024, 2)
