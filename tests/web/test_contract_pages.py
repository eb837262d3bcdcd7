"""The page that imports contracts: what an export would change, or what is wrong with it, before anything is stored."""

import re

from app.principal import Role
from tests.web.room import Room

HEAD = "id;customer;fee_amount;fee_per;currency;valid_from\n"
GOOD = HEAD + "C-9;Acme;49,90;month;EUR;01.01.2026\n"


def preview(room: Room, text: str) -> str:
    admin = room.key("haisoft", Role.ADMIN) | {"Accept-Language": "nl"}
    answer = room.client.post("/contracts/haisoft/preview", json={"text": text}, headers=admin)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def test_an_export_is_previewed_and_nothing_is_stored(room: Room) -> None:
    shown = preview(room, GOOD)
    assert "1 contract is gelezen (CSV, delimiter semicolon, utf-8). 1 is nieuw of gewijzigd." in shown
    assert "data-apply" in shown
    assert room.get("/v1/contracts", desk="haisoft").json()["contracts"] == []


def test_each_fault_has_its_line_and_its_remedy_in_the_language(room: Room) -> None:
    shown = preview(room, GOOD + "C-10;Acme;much;month;EUR;01.01.2026\nC-11;Acme;1,00;month;ERO;01.01.2026\n")
    assert "line 4 <code>currency</code> er is geen valuta &#34;ERO&#34;." in shown
    assert "data-apply" not in shown
    assert "De export kan niet worden gelezen:" in preview(room, "name\nAcme\n")


def test_the_agreement_leads_to_the_import_for_those_who_may(room: Room) -> None:
    admin, viewer = room.key("haisoft", Role.ADMIN), room.key("haisoft", Role.VIEWER)
    assert 'href="/contracts/haisoft"' in room.get("/agreements/haisoft", admin).text
    assert 'href="/contracts/haisoft"' not in room.get("/agreements/haisoft", viewer).text
    assert 'data-import="/v1/contracts/haisoft/import"' in room.get("/contracts/haisoft", admin).text
