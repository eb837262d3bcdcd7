"""Team chats and paging services: how the URL of each kind is read, and the request that the vendor documents.

Only the parameters named here are taken. The host of a request is the vendor's, except for Teams, whose host is one of
Microsoft's, and for `json://`, which the operator must allow. All requests go through the client that checks and pins
addresses, verifies certificates, and follows no redirect.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from string import ascii_letters, digits
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson

from app.delivery.address import FaultyUrl, endpoint
from app.delivery.channels.channel_url import ChannelUrl
from app.delivery.markup import SEPARATOR, discord, google_chat, plain, slack
from app.delivery.notice import Notice, Severity

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_TOKEN: Final = frozenset(ascii_letters + digits + "-_.:=")
_MICROSOFT: Final = (".logic.azure.com", ".api.powerplatform.com")
"""Hosts of the webhooks of Power Automate, which post to Teams."""

_COLOURS: Final = {
    Severity.BREACH: 0xC0392B,
    Severity.WARNING: 0xE67E22,
    Severity.GOOD: 0x27AE60,
    Severity.INFO: 0x2980B9,
}
_TEAMS_STYLES: Final = {Severity.BREACH: "attention", Severity.WARNING: "warning", Severity.GOOD: "good"}
_WORDS: Final = {Severity.BREACH: "critical", Severity.WARNING: "warning"}
_APPRISE: Final = {Severity.BREACH: "failure", Severity.WARNING: "warning", Severity.GOOD: "success"}
_OPSGENIE: Final = {Severity.BREACH: "P1", Severity.WARNING: "P3"}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A POST to a service."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ChatTarget:
    """Where a message goes, and how it is written for that service. `refusal` is the key under which a service that
    answers 200 says that it did not take the message."""

    shown: str
    requests: Callable[[Notice], Iterator[ChatRequest]]
    host: str | None = None
    """The host, where the URL names it; None: the service's own."""


Reader = Callable[[ChannelUrl], ChatTarget]


def _json(url: str, body: Mapping[str, Any], **headers: str) -> ChatRequest:
    return ChatRequest(url, orjson.dumps(body), {"content-type": _JSON, **headers})


def _form(url: str, fields: Mapping[str, str], **headers: str) -> ChatRequest:
    return ChatRequest(url, urlencode(fields).encode(), {"content-type": _FORM, **headers})


def _token(value: str, what: str) -> str:
    if not value or not set(value) <= _TOKEN:
        raise FaultyUrl(f"has no valid {what}; copy it from the service as it is")
    return value


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _one(url: ChannelUrl, make: Callable[[Notice], ChatRequest], shown: str = "…") -> ChatTarget:
    return ChatTarget(f"{url.scheme}://{shown}", lambda notice: iter((make(notice),)))


def _slack(url: ChannelUrl) -> ChatTarget:
    """`slack://A/B/C`: the three parts of an incoming webhook; optionally a channel, `/#alarms`."""
    if url.host.startswith("xox"):
        raise FaultyUrl(
            "is a bot of Slack; create an incoming webhook and write slack://A/B/C of its address"
        )
    url.only(parts=(2, 3))
    parts = [_token(each, "token of Slack") for each in (url.host, *url.path[:2])]
    channel = "#" + _token(url.path[2].removeprefix("#"), "channel") if len(url.path) > 2 else ""
    address = f"https://hooks.slack.com/services/{'/'.join(parts)}"
    more = {"channel": channel} if channel else {}
    return _one(
        url, lambda notice: _json(address, {"text": slack(notice), **more}), f"…/{channel}".rstrip("/")
    )


def _teams(url: ChannelUrl) -> ChatTarget:
    """`workflows://HOST/WORKFLOW/SIGNATURE`: the address of a Teams workflow, with `pa=yes` for Power Automate's."""
    url.only("pa", "ver", "api-version", parts=(2,), port=True)
    host = url.host.lower()
    if not host.endswith(_MICROSOFT) or not set(host) <= _TOKEN - {":", "=", "_"}:
        raise FaultyUrl(f"must have a host of Microsoft, in {' or '.join(_MICROSOFT)}")
    if url.port not in (None, 443):
        raise FaultyUrl("must use the port 443")
    workflow, signature = (_token(each, "workflow or signature") for each in url.path)
    direct = (
        "/powerautomate/automations/direct"
        if url.params.get("pa", "no").lower() in ("yes", "true", "1")
        else ""
    )
    version = _token(url.params.get("ver") or url.params.get("api-version") or "2016-06-01", "version")
    query = urlencode({"api-version": version, "sp": "/triggers/manual/run", "sv": "1.0", "sig": signature})
    address = f"https://{host}{direct}/workflows/{workflow}/triggers/manual/paths/invoke?{query}"
    return _one(url, lambda notice: _json(address, _card(notice)), f"{host}/…")


def _card(notice: Notice) -> dict[str, Any]:
    """An Adaptive Card. Rich text, since a text block would interpret Markdown from outside."""
    style = _TEAMS_STYLES.get(notice.severity, "default")
    title = {"type": "TextRun", "text": notice.subject, "weight": "bolder", "color": style}
    blocks: list[dict[str, Any]] = [{"type": "RichTextBlock", "inlines": [title]}]
    for line in notice.lines:
        run: dict[str, Any] = {"type": "TextRun", "text": SEPARATOR.join(line.pieces)}
        if line.url:
            run["selectAction"] = {"type": "Action.OpenUrl", "url": line.url}
        blocks.append({"type": "RichTextBlock", "inlines": [run]})
    card = {"type": "AdaptiveCard", "version": "1.4", "body": blocks}
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _telegram(url: ChannelUrl) -> ChatTarget:
    """`tgram://BOT_TOKEN/CHAT`, with up to five chats. Without a mode of parsing the text is shown as it is."""
    url.only(parts=range(1, 6), port=False)
    token = _token(url.host, "bot token")
    chats = [_token(each.removeprefix("@"), "chat") for each in url.path]
    names = [chat if chat.lstrip("-").isdigit() else f"@{chat}" for chat in chats]
    address = f"https://api.telegram.org/bot{quote(token, safe=':')}/sendMessage"

    def requests(notice: Notice) -> Iterator[ChatRequest]:
        text = _cut(f"{notice.subject}\n{plain(notice)}", 4_096)
        for name in names:
            yield _json(
                address, {"chat_id": name, "text": text, "link_preview_options": {"is_disabled": True}}
            )

    return ChatTarget(f"tgram://…/{'/'.join(names)}", requests)


def _discord(url: ChannelUrl) -> ChatTarget:
    """`discord://WEBHOOK_ID/WEBHOOK_TOKEN`."""
    url.only(parts=(1,))
    address = f"https://discord.com/api/webhooks/{_token(url.host, 'webhook')}/{_token(url.path[0], 'token')}"

    def make(notice: Notice) -> ChatRequest:
        colour, text = _COLOURS[notice.severity], _cut(discord(notice), 4_096)
        embed = {"title": _cut(notice.subject, 256), "description": text, "color": colour}
        return _json(address, {"embeds": [embed], "allowed_mentions": {"parse": []}})

    return _one(url, make)


def _google_chat(url: ChannelUrl) -> ChatTarget:
    """`gchat://WORKSPACE/KEY/TOKEN`."""
    url.only(parts=(2,))
    space, key, token = (_token(each, "part") for each in (url.host, *url.path))
    address = (
        f"https://chat.googleapis.com/v1/spaces/{space}/messages?{urlencode({'key': key, 'token': token})}"
    )
    return _one(url, lambda notice: _json(address, {"text": _cut(google_chat(notice), 4_096)}))


def _webex(url: ChannelUrl) -> ChatTarget:
    """`wxteams://TOKEN`: an incoming webhook of Webex."""
    url.only(parts=(0,))
    address = f"https://webexapis.com/v1/webhooks/incoming/{_token(url.host, 'token')}"
    return _one(url, lambda n: _json(address, {"text": _cut(f"{n.subject}\n{plain(n)}", 7_000)}))


def _pagerduty(url: ChannelUrl) -> ChatTarget:
    """`pagerduty://INTEGRATION_KEY@API_KEY/SOURCE/COMPONENT`, with `region=eu`."""
    url.only("region", parts=(0, 1, 2), user=True)
    region = {"": "", "us": "", "eu": "eu."}.get(url.params.get("region", "").lower())
    if region is None:
        raise FaultyUrl("has an unknown region; write region=us or region=eu")
    routing, address = _token(url.user, "integration key"), f"https://events.{region}pagerduty.com/v2/enqueue"
    source, component = [*url.path, "slatimer", "sla"][:2] if len(url.path) != 1 else (url.path[0], "sla")

    def make(notice: Notice) -> ChatRequest:
        about = {"source": source, "component": component, "severity": _WORDS.get(notice.severity, "info")}
        payload = about | {"summary": _cut(notice.subject, 1_024), "custom_details": {"text": plain(notice)}}
        event = {
            "routing_key": routing,
            "event_action": "trigger",
            "payload": payload,
            "dedup_key": notice.key,
        }
        return _json(address, {name: value for name, value in event.items() if value})

    return _one(url, make)


def _opsgenie(url: ChannelUrl) -> ChatTarget:
    """`opsgenie://API_KEY`, with `region=eu`."""
    url.only("region", parts=(0,))
    region = {"": "", "us": "", "eu": "eu."}.get(url.params.get("region", "").lower())
    if region is None:
        raise FaultyUrl("has an unknown region; write region=us or region=eu")
    key, address = _token(url.host, "API key"), f"https://api.{region}opsgenie.com/v2/alerts"

    def make(notice: Notice) -> ChatRequest:
        priority = _OPSGENIE.get(notice.severity, "P5")
        alert = {"message": _cut(notice.subject, 130), "description": plain(notice), "priority": priority}
        alert |= {"alias": notice.key, "source": "slatimer"}
        return _json(address, {n: v for n, v in alert.items() if v}, authorization=f"GenieKey {key}")

    return _one(url, make)


def _pushover(url: ChannelUrl) -> ChatTarget:
    """`pover://USER_KEY@TOKEN`."""
    url.only(parts=(0,), user=True)
    fields = {"token": _token(url.host, "token"), "user": _token(url.user, "user key")}

    def make(notice: Notice) -> ChatRequest:
        priority = "1" if notice.severity is Severity.BREACH else "0"
        message = {
            "title": _cut(notice.subject, 250),
            "message": _cut(plain(notice), 1_024),
            "priority": priority,
        }
        return _form("https://api.pushover.net/1/messages.json", fields | message)

    return _one(url, make)


def _signl4(url: ChannelUrl) -> ChatTarget:
    """`signl4://SECRET`."""
    url.only(parts=(0,))
    address = f"https://connect.signl4.com/webhook/{_token(url.host, 'secret')}/"

    def make(notice: Notice) -> ChatRequest:
        external = {"X-S4-ExternalID": notice.key} if notice.key else {}
        body = {"title": notice.subject, "body": plain(notice), "X-S4-SourceSystem": "slatimer"}
        return _json(address, body | external)

    return _one(url, make)


def _twilio(url: ChannelUrl) -> ChatTarget:
    """`twilio://ACCOUNT_SID:AUTH_TOKEN@FROM/TO`: a text message, to up to five numbers."""
    url.only(parts=range(1, 6), user=True)
    account, password = _token(url.user, "account"), _token(url.password, "authentication token")
    sender, *to = (_phone(each) for each in (url.host, *url.path))
    address = f"https://api.twilio.com/2010-04-01/Accounts/{account}/Messages.json"
    basic = "Basic " + b64encode(f"{account}:{password}".encode()).decode()

    def requests(notice: Notice) -> Iterator[ChatRequest]:
        text = _cut(f"{notice.subject}\n{plain(notice)}", 1_600)
        for each in to:
            yield _form(address, {"From": sender, "To": each, "Body": text}, authorization=basic)

    return ChatTarget(f"twilio://…/{'/'.join(to)}", requests)


def _phone(written: str) -> str:
    number = written.strip().removeprefix("+")
    if not (number.isascii() and number.isdigit() and 7 <= len(number) <= 15):
        raise FaultyUrl(f"has {written[:30]!r} where a phone number belongs, as +33123456789")
    return f"+{number}"


def _generic(url: ChannelUrl) -> ChatTarget:
    """`jsons://HOST/PATH`: title and text as JSON, as apprise sends them, to a gateway of one's own."""
    url.only(parts=range(20), port=True)
    secure = "s" if url.scheme == "jsons" else ""
    host = f"[{url.host}]" if ":" in url.host else url.host
    port = "" if url.port is None else f":{url.port}"
    address = f"http{secure}://{host}{port}/{'/'.join(quote(part, safe='') for part in url.path)}"
    endpoint(address)

    def make(notice: Notice) -> ChatRequest:
        body = {"version": "1.0", "title": notice.subject, "message": plain(notice)}
        return _json(address, body | {"attachments": [], "type": _APPRISE.get(notice.severity, "info")})

    return replace(_one(url, make, f"{host}{port}/…"), host=url.host)


KINDS: Final[Mapping[str, Reader]] = {
    "slack": _slack,
    "workflows": _teams,
    "tgram": _telegram,
    "discord": _discord,
    "gchat": _google_chat,
    "wxteams": _webex,
    "pagerduty": _pagerduty,
    "opsgenie": _opsgenie,
    "pover": _pushover,
    "signl4": _signl4,
    "twilio": _twilio,
    "json": _generic,
    "jsons": _generic,
}
"""The kinds of chat and paging, by scheme."""
