"""At the door: signed or refused, kept once, durable before the answer; secrets that change over without a refusal."""

import asyncio
from dataclasses import replace

import pytest

from app.flow.agreement.desk_files import FaultyFiles
from app.flow.inbound.accept import UnknownConnection
from app.flow.inbound.connect import UnknownSystem
from app.intake.signature import BadSignature, Stale
from app.sla.span import HOUR, MINUTE
from app.store.inbound import hooks
from app.store.inbound.hooks import HookState
from tests.flow.door import Door, samples
from tests.service import Service

BODY = b'{"ticket":{"id":1}}'


@pytest.fixture
def door(service: Service) -> Door:
    return Door(service)


async def test_a_signed_delivery_is_kept_as_it_came(door: Door) -> None:
    plug, _ = door.connect("zammad")
    body = b'{"ticket":  {"id":1},\r\n "caf\xc3\xa9":"\xff"}'
    accepted = await door.deliver(plug, body, {"Content-Type": "application/json", "Cookie": "secret"})
    hook = door.hook(accepted.id)
    assert (hook.body, hook.state, accepted.repeated) == (body, HookState.PENDING, False)
    assert hook.headers == {"content-type": "application/json"}


@pytest.mark.parametrize("system", ["zammad", "zendesk", "glpi", "pagerduty"])
async def test_one_byte_changed_is_refused(door: Door, system: str) -> None:
    plug, _ = door.connect(system)
    delivery = door.signed(plug, BODY)
    with pytest.raises(BadSignature):
        await door.acceptor.accept("haisoft", system, replace(delivery, body=BODY[:-1] + b" "))
    assert (await door.let_in("haisoft", system, delivery)).repeated is False


async def test_another_desks_secret_is_refused(door: Door) -> None:
    plug, _ = door.connect("zammad")
    other, _ = door.connect("zammad", "phpnet")
    with pytest.raises(BadSignature):
        await door.acceptor.accept("phpnet", "zammad", door.signed(plug, BODY))
    assert (await door.deliver(other, BODY)).repeated is False


@pytest.mark.parametrize(
    ("desk", "system"), [("haisoft", "zendesk"), ("haisoft", "nothing"), ("nobody", "zammad")]
)
async def test_what_is_not_connected_is_unknown(door: Door, desk: str, system: str) -> None:
    plug, _ = door.connect("zammad")
    with pytest.raises(UnknownConnection):
        await door.acceptor.accept(desk, system, door.signed(plug, BODY))


async def test_a_signed_time_out_of_its_window_is_refused(door: Door) -> None:
    plug, _ = door.connect("zendesk")
    delivery = door.signed(plug, BODY)
    door.service.clock.forward(hours=2)
    with pytest.raises(Stale):
        await door.acceptor.accept("haisoft", "zendesk", delivery)


async def test_a_repetition_by_delivery_id_is_kept_once(door: Door) -> None:
    plug, _ = door.connect("zammad")
    first = await door.deliver(plug, BODY, {"X-Zammad-Delivery": "d1"})
    again = await door.deliver(plug, BODY + b" ", {"X-Zammad-Delivery": "d1"})
    other = await door.deliver(plug, BODY, {"X-Zammad-Delivery": "d2"})
    assert (again.id, again.repeated) == (first.id, True)
    assert other.repeated is False
    assert door.service.rows("SELECT count(*) FROM hook")[0][0] == 2


async def test_a_repetition_by_the_bodys_event_id_is_kept_once(door: Door) -> None:
    plug, _ = door.connect("zendesk")
    first = await door.deliver(plug, {"id": "01HX", "type": "x"})
    door.service.clock.forward(minutes=1)
    assert (await door.deliver(plug, {"id": "01HX", "type": "x"})).id == first.id


async def test_a_repetition_without_any_id_is_told_by_its_content(door: Door) -> None:
    plug, _ = door.connect("freescout")
    first = await door.deliver(plug, BODY)
    assert (await door.deliver(plug, BODY)).id == first.id
    assert (await door.deliver(plug, BODY + b" ")).repeated is False


async def test_repetitions_that_wait_together_are_kept_once(door: Door) -> None:
    plug, _ = door.connect("zammad")
    found = await asyncio.gather(*(door.deliver(plug, BODY) for _ in range(8)))
    assert [one.repeated for one in found].count(False) == 1
    assert len({one.id for one in found}) == 1


async def test_two_processes_at_the_door_keep_a_delivery_once(door: Door) -> None:
    other = Door(door.service)
    plug, _ = door.connect("zammad")
    found = await asyncio.gather(door.deliver(plug, BODY), other.deliver(plug, BODY))
    assert found[0].id == found[1].id


def test_asking_again_makes_no_new_secret(door: Door) -> None:
    first, is_new = door.connect("zammad")
    again, again_new = door.connect("zammad")
    assert (first.secret, is_new, again_new) == (again.secret, True, False)


async def test_a_rotated_secret_overlaps_with_the_one_before(door: Door) -> None:
    plug, _ = door.connect("zammad")
    await door.deliver(plug, BODY)  # the connection is looked up, and believed for a while
    rotated, _ = door.connect("zammad", rotate=True)
    assert rotated.secret != plug.secret
    assert (await door.deliver(rotated, b"1")).repeated is False
    assert (await door.deliver(plug, b"2")).repeated is False
    door.service.clock.now += HOUR
    assert (await door.deliver(rotated, b"3")).repeated is False
    with pytest.raises(BadSignature):
        await door.deliver(plug, b"4")


async def test_secrets_rotated_under_load_refuse_nothing(door: Door) -> None:
    plug, _ = door.connect("zammad")
    secret, taken = plug.secret, 0
    for turn in range(12):
        # Each side changes over at another time: half of the senders still use the secret before.
        before, secret = secret, door.connect("zammad", rotate=turn % 3 == 0)[0].secret
        sent = (
            door.deliver(plug, f"{turn}-{n}".encode(), secret=before if n % 2 else secret) for n in range(10)
        )
        taken += len(await asyncio.gather(*sent))
    assert taken == 120


async def test_a_second_rotation_does_not_lengthen_the_first_ones_overlap(door: Door) -> None:
    plug, _ = door.connect("zammad")
    door.connect("zammad", rotate=True)
    door.service.clock.now += 40 * MINUTE
    door.connect("zammad", rotate=True)
    door.service.clock.now += 30 * MINUTE
    with pytest.raises(BadSignature):
        await door.deliver(plug, BODY)


async def test_a_secret_that_the_system_made_is_entered(door: Door) -> None:
    door.connect("zendesk")
    plug, is_new = door.connect("zendesk", given="theirs")
    assert (plug.secret, is_new, door.connect("zendesk", given="theirs")[1]) == ("theirs", True, False)
    assert (await door.deliver(plug, BODY)).repeated is False


def test_a_system_that_nobody_knows_is_told_with_those_that_are(door: Door) -> None:
    with pytest.raises(UnknownSystem, match=r"alertmanager.*zammad.*sources/haisoft\.toml"):
        door.connect("kayako")


OURS = """
[sources.ours]
scheme = "hub-sha256"
[sources.ours.read]
ticket = "ticket.id"
time = "at"
type = "kind"
[sources.ours.read.types]
"opened" = "ticket.created"
"""


async def test_a_system_of_the_desks_own_is_connected_like_any_other(door: Door) -> None:
    door.map(OURS)
    plug, _ = door.connect("ours")
    assert plug.scheme.name == "hub-sha256"
    body = {"ticket": {"id": 7}, "at": "2026-03-02T08:00:00Z", "kind": "opened"}
    accepted = await door.deliver(plug, body)
    await door.reader.read_all()
    assert (door.hook(accepted.id).state, door.service.view("haisoft", "7")["status"]) == ("done", "new")


def test_a_faulty_file_of_sources_is_refused_with_its_places(door: Door) -> None:
    with pytest.raises(FaultyFiles, match=r"haisoft\.toml:3: sources\.zamad: no such system is known"):
        door.map('[sources.zammad]\ntime_zone = "Europe/Paris"\n[sources.zamad]\n')
    with pytest.raises(FaultyFiles, match="no desk 'nobody' is known"):
        door.map("[sources.zammad]\n", "nobody")


def test_the_same_file_again_changes_nothing(door: Door) -> None:
    assert [door.map(OURS), door.map(OURS + "# a remark\n")] == [["haisoft"], []]


def test_the_usual_secret_suits_its_scheme(door: Door) -> None:
    assert door.connect("whmcs")[0].secret.startswith("whsec_")
    assert len(door.connect("helpscout")[0].secret) <= 40


async def test_every_sample_signed_anew_is_let_in(door: Door) -> None:
    plug, _ = door.connect("zendesk")
    given = samples("zendesk")
    found = [await door.deliver(plug, body, headers) for body, headers in given]
    assert len({one.id for one in found}) == len(given) > 10


async def test_a_desks_waiting_deliveries_do_not_delay_another_desks(door: Door) -> None:
    plug, _ = door.connect("zammad")
    other, _ = door.connect("zammad", "phpnet")
    many = door.service.settings.inbound_batch_size * 3
    for number in range(many):
        await door.deliver(plug, f"{number}".encode())
    await door.deliver(other, BODY)
    claimed = door.service.database.write_now(
        lambda conn, now: hooks.claim(conn, door.service.settings.inbound_batch_size)
    )
    assert [one.desk for one in claimed].count("phpnet") == 1
    assert await door.reader.read_all() == many + 1


async def test_desks_take_turns_when_a_batch_holds_one(door: Door) -> None:
    plug, _ = door.connect("zammad")
    other, _ = door.connect("zammad", "phpnet")
    for number in range(2):
        await door.deliver(plug, f"{number}".encode())
        await door.deliver(other, f"{number}".encode())
    turns = [
        [one.desk for one in door.service.database.write_now(lambda conn, now: hooks.claim(conn, 1, after))]  # noqa: B023
        for after in ("", "haisoft", "phpnet")
    ]
    assert turns == [["haisoft"], ["phpnet"], ["haisoft"]]
