"""A running service with recognisable secrets everywhere shows none of them in log, metrics, problems or documents."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Final

import httpx2
import pytest
from cryptography.fernet import Fernet

from tests.servers.slatimer import ROOT, Service
from tests.waiting import HANG

MARK: Final = "s3cr3tm4rk"
"""Part of every secret that the test chooses itself."""
BODY: Final = b'{"ticket": {"id": 1}}'
DOORS: Final = ("/openapi.json", "/metrics", "/healthz", "/readyz")


def secrets_of(service: Service) -> dict[str, str]:
    """A key, a cookie and a hook's secret, made by the service, and the header of an administrator."""
    service.command("apply", ROOT / "agreements", ROOT / "calendars")
    key = service.command("key", "create", "--desk", "*", "--role", "admin").strip()
    hook = json.loads(service.command("connect", "zammad", "--desk", "haisoft", "--json"))["secret"]
    return {"key": key, "hook": hook}


def used(client: httpx2.Client, secrets: dict[str, str]) -> list[str]:
    """Use every secret, rightly and wrongly. Returns the answers, but for those that show a new secret on purpose."""
    key, admin = secrets["key"], {"Authorization": f"Bearer {secrets['key']}"}
    signed_in = client.post("/session", json={"key": key})
    secrets["cookie"] = signed_in.cookies["slatimer_session"]
    secrets["signature"] = hmac.new(secrets["hook"].encode(), BODY, hashlib.sha1).hexdigest()
    for_hook = {"content-type": "application/json", "x-hub-signature": f"sha1={secrets['signature']}"}
    wrong = {"content-type": "application/json", "x-hub-signature": f"sha1={MARK}"}
    webhook = {
        "desk": "haisoft",
        "url": f"https://127.0.0.1:9/{MARK}?token={MARK}",
        "kinds": ["clock.breached"],
    }
    made = client.post("/v1/subscriptions", json=webhook, headers=admin)
    assert made.status_code == 201, made.text
    secrets["subscription"] = made.json()["secret"]
    mail = webhook | {"channel": "notice", "url": f"mailtos://u:{MARK}@127.0.0.1?to=a@example.com"}
    people = client.post("/v1/subscriptions", json=mail, headers=admin)
    assert people.status_code == 201, people.text
    reader = {"Authorization": f"Bearer slt_{MARK}"}
    answers = [
        signed_in,
        people,
        client.post("/v1/hooks/haisoft/zammad", content=BODY, headers=for_hook),
        client.post("/v1/hooks/haisoft/zammad", content=BODY, headers=wrong),
        client.post(f"/v1/hooks/haisoft/zammad?secret={MARK}", content=BODY, headers=wrong),
        client.post("/v1/subscriptions", json=mail | {"url": f"json://u:{MARK}@x"}, headers=admin),
        client.post("/v1/subscriptions", json=webhook | {"url": f"ftp://u:{MARK}@x"}, headers=admin),
        client.post(f"/v1/subscriptions/{made.json()['id']}/test", headers=admin),
        client.post("/session", json={"key": f"slt_{MARK}"}),
        client.get("/v1/tickets", headers=reader),
        client.get("/v1/tickets", headers={"Cookie": f"slatimer_session=sls_{MARK}"}),
        client.get("/v1/audit", headers=admin),
        client.get("/v1/inbox", headers=admin),
        *(client.get(door) for door in DOORS),
    ]
    return [f"{answer.request.method} {answer.url.path}: {answer.text}" for answer in answers]


def test_no_secret_is_in_log_metrics_problems_or_the_api_document(tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    more = {
        "SLATIMER_LOG_LEVEL": "DEBUG",
        "SLATIMER_SECRET_KEYS": key,
        "SLATIMER_HEARTBEAT_URL": f"http://u:{MARK}@127.0.0.1:9/{MARK}?token={MARK}",
        "SLATIMER_HEARTBEAT_INTERVAL": "PT1S",
        "SLATIMER_ALLOW_NETWORKS": "127.0.0.0/8",
    }
    service = Service(tmp_path, more=more)
    secrets = secrets_of(service) | {"vault": key}
    service.start()
    try:
        with httpx2.Client(base_url=service.base, timeout=HANG) as client:
            answers = used(client, secrets)
    finally:
        service.end()
    places = [*answers, service.log.read_text()]
    assert "sign" in places[-1] or "request" in places[-1], "the log is empty"
    looked_for = [MARK, base64.b64encode(MARK.encode()).decode(), *secrets.values()]
    shown = [(secret, place[:300]) for secret in looked_for for place in places if secret in place]
    assert shown == []


def test_a_database_password_is_in_no_message(tmp_path: Path) -> None:
    service = Service(tmp_path, url=f"postgresql+asyncpg://u:{MARK}@127.0.0.1:9/none")
    with pytest.raises(RuntimeError, match="did not start") as failed:
        service.start()
    assert MARK not in str(failed.value)
    assert "127.0.0.1" in service.log.read_text()
    assert MARK not in service.log.read_text()
