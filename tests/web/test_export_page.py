"""The export of a desk as a download: for administrators, in the audit log, as the command writes it, and limited."""

import asyncio
import io
import json
import tempfile
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest

from app.flow.transfer.archive import TooLarge, write_archive, write_files
from app.flow.transfer.download import BUSY, Downloads, NotExported
from app.principal import Role
from app.settings import Settings
from app.store.transfer.kinds import KINDS
from tests.servers.databases import SqliteDatabases, both_kinds
from tests.waiting import until
from tests.web.filled import form_to
from tests.web.room import FRIDAY, Room, room_on, with_desks

EXPORT = "/settings/export"


def test_an_administrator_downloads_everything_of_a_desk(room: Room) -> None:
    admin = room.key("haisoft,hvn", Role.ADMIN)
    room.sent(room.event(subject="t-1"), room.event(subject="t-2"), room.event(source="hvn"))
    form = form_to(room.get(EXPORT, admin).text, EXPORT)
    assert form.value("desk") == "haisoft"
    answer = form.sent(room, admin)
    assert answer.status_code == 200
    assert "export-haisoft-2026-03-06.zip" in answer.headers["content-disposition"]
    archive = ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    manifest = json.loads(archive.read("export-haisoft/manifest.json"))
    assert manifest["as_of"] == "2026-03-06T14:30:00.000000Z"
    for kind in manifest["kinds"].values():
        for name, state in kind["files"].items():
            assert sha256(archive.read(f"export-haisoft/{name}")).hexdigest() == state["sha256"], name
    assert {kind.name for kind in KINDS} | {"credits"} == set(manifest["kinds"])
    tickets = [
        json.loads(line)["ticket"] for line in archive.read("export-haisoft/tickets.jsonl").splitlines()
    ]
    assert tickets == ["t-1", "t-2"]
    entries = room.get("/v1/audit", admin).json()["entries"]
    assert [each["desk"] for each in entries if each["action"] == "desk.exported"] == ["haisoft"]


def test_of_a_desk_without_the_role_there_is_no_export(shared_room: Room) -> None:
    admin, lead = shared_room.key("haisoft", Role.ADMIN), shared_room.key("haisoft", Role.LEAD)
    headers = {"Origin": "http://testserver"}
    for desk in ("hvn", "nowhere", ""):
        assert (
            shared_room.client.post(EXPORT, data={"desk": desk}, headers=admin | headers).status_code == 404
        )
    assert (
        shared_room.client.post(EXPORT, data={"desk": "haisoft"}, headers=lead | headers).status_code == 403
    )
    assert EXPORT not in shared_room.get("/settings", lead).text
    assert EXPORT in shared_room.get("/settings", admin).text


def test_more_downloads_than_the_settings_allow_are_refused(sqlite_databases: SqliteDatabases) -> None:
    with sqlite_databases.copy_of(with_desks) as url, room_on(url, transfer_downloads_max=0) as room:
        admin = room.key("*", Role.ADMIN)
        assert "slatimer export --desk DESK" in room.get(EXPORT, admin).text
        headers = admin | {"Origin": "http://testserver"}
        busy = room.client.post(EXPORT, data={"desk": "hvn"}, headers=headers)
        assert (busy.status_code, "Another export is being made." in busy.text) == (503, True)


def test_of_a_desk_one_export_is_made_at_a_time_and_nothing_of_it_is_left(
    sqlite_databases: SqliteDatabases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def made() -> list[str]:
        return [path.name[:15] for path in tmp_path.iterdir()]

    async def one_is_open(url: str) -> None:
        downloads = Downloads(Settings(database_url=url))
        download = await downloads.begin("haisoft", FRIDAY)
        with pytest.raises(NotExported, match=BUSY):
            await downloads.begin("haisoft", FRIDAY)
        assert made() == ["slatimer-export"]
        download.close()

    with sqlite_databases.copy_of(with_desks) as url:
        asyncio.run(one_is_open(url))
    until(lambda: not made())


@both_kinds
def test_an_export_reads_the_rows_of_its_desk_alone(room: Room, tmp_path: Path) -> None:
    room.sent(room.event(subject="t-1"), room.event(source="hvn"))
    write_files(room.app.state.running.settings, "hvn", FRIDAY, tmp_path)
    rows = {path.stem: len(path.read_text().splitlines()) for path in tmp_path.glob("*.jsonl")}
    assert (rows["events"], rows["tickets"], rows["versions"]) == (1, 1, 1)
    assert '"haisoft"' not in "".join(path.read_text() for path in tmp_path.glob("*.jsonl"))


def test_files_beyond_the_limit_end_the_export(sqlite_databases: SqliteDatabases, tmp_path: Path) -> None:
    with sqlite_databases.copy_of(with_desks) as url:
        settings = Settings(database_url=url).model_copy(update={"transfer_download_max_size": 100})
        with pytest.raises(TooLarge):
            write_files(settings, "haisoft", FRIDAY, tmp_path)


def test_each_file_is_removed_once_it_is_sent_and_the_manifest_is_last(tmp_path: Path) -> None:
    for name in ("manifest.json", "zebra.csv", "a.jsonl"):
        (tmp_path / name).write_text(name)
    sent = io.BytesIO()
    write_archive(tmp_path, "folder", sent)
    assert ZipFile(sent).namelist() == ["folder/a.jsonl", "folder/zebra.csv", "folder/manifest.json"]
    assert list(tmp_path.iterdir()) == []
