"""Reads a mail URL, and composes the mail: a text and an HTML part that say the same.

    mailtos://USER:PASSWORD@SERVER/?from=desk@example.org&to=ann@example.org,bob@example.org

Every word in a place for recipients must be an address: one that is ignored would be found out on the day of the breach.
Headers are set here alone; no parameter adds one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from string import ascii_letters, digits
from typing import Final

from app.delivery.address import FaultyUrl
from app.delivery.channels.channel_url import ChannelUrl
from app.delivery.clean import clean
from app.delivery.markup import html, plain
from app.delivery.notice import Notice, Severity

_PARAMS: Final = ("to", "cc", "bcc", "reply", "from", "name", "user", "pass", "smtp", "mode", "format")
_MODES: Final = ("", "starttls", "ssl")
_SSL_PORT: Final = 465
_SUBMISSION_PORT: Final = 587
_PLAIN_PORT: Final = 25
_SERVERS: Final[Mapping[str, str]] = {
    "gmail.com": "smtp.gmail.com",
    "googlemail.com": "smtp.gmail.com",
    "hotmail.com": "smtp-mail.outlook.com",
    "live.com": "smtp-mail.outlook.com",
    "outlook.com": "smtp-mail.outlook.com",
    "office365.com": "smtp.office365.com",
    "fastmail.com": "smtp.fastmail.com",
    "yahoo.com": "smtp.mail.yahoo.com",
}
"""Servers of providers whose mail domain is not their server; users sign in with the address there."""
_LOCAL: Final = frozenset(ascii_letters + digits + "!#$%&'*+-/=?^_`{|}~.")
_DOMAIN: Final = frozenset(ascii_letters + digits + "-.")
_MAX_LOCAL: Final = 64
_MAX_DOMAIN: Final = 253
_MAX_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server to send by. `implicit_tls`: TLS from the first byte. `plain_allowed`: without TLS in the networks
    that the operator allows."""

    host: str
    port: int | None
    implicit_tls: bool
    plain_allowed: bool
    user: str
    password: str

    def port_for(self, *, tls: bool) -> int:
        """The port, or the usual one."""
        usual = _SSL_PORT if self.implicit_tls else _SUBMISSION_PORT if tls else _PLAIN_PORT
        return self.port or usual


@dataclass(frozen=True, slots=True)
class MailTarget:
    """Where a mail goes."""

    server: MailServer
    sender: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply: tuple[Address, ...] = ()

    @property
    def host(self) -> str:
        """The server's name or address."""
        return self.server.host

    @property
    def recipients(self) -> list[str]:
        """Every address that gets the mail."""
        return list(dict.fromkeys(each.addr_spec for each in (*self.to, *self.cc, *self.bcc)))

    @property
    def shown(self) -> str:
        """The URL without its credentials."""
        scheme = "mailto" if self.server.plain_allowed else "mailtos"
        return f"{scheme}://{self.server.host}/?to={','.join(each.addr_spec for each in self.to)}"


def mail_target(url: ChannelUrl, max_recipients: int) -> MailTarget:
    """Read a mail URL. Raises FaultyUrl."""
    url.only(*_PARAMS, parts=range(max_recipients + 1), user=True, port=True)
    given = url.params
    sender = _sender(url)
    to = [*url.path, given.get("to", "")]
    lists = {name: _addresses(given.get(name, "")) for name in ("cc", "bcc", "reply")}
    target = MailTarget(
        server=_server(url),
        sender=sender,
        to=tuple(each for part in to for each in _addresses(part)) or (sender,),
        **lists,
    )
    if len(target.recipients) > max_recipients:
        raise FaultyUrl(
            f"names {len(target.recipients)} recipients, more than {max_recipients}; use a mailing list, or "
            "several subscriptions"
        )
    return target


def _server(url: ChannelUrl) -> MailServer:
    given, mode = url.params, url.params.get("mode", "").lower()
    if mode not in _MODES:
        raise FaultyUrl(f"has an unknown mode, {mode[:20]!r}; write mode=starttls or mode=ssl")
    user, password = given.get("user") or url.user, given.get("pass") or url.password
    known = _SERVERS.get(url.host.lower())
    if known is not None and user and "@" not in user:
        user = f"{user}@{url.host.lower()}"
    host = given.get("smtp") or known or url.host
    if not host or not set(host) <= _DOMAIN | {":"} or len(host) > _MAX_DOMAIN:
        raise FaultyUrl(f"names no mail server, but {host[:60]!r}" if host else "names no mail server")
    return MailServer(
        host=host.lower(),
        port=url.port,
        implicit_tls=mode == "ssl" or (not mode and url.port == _SSL_PORT),
        plain_allowed=url.scheme == "mailto" and not mode and url.port != _SSL_PORT,
        user=user,
        password=password,
    )


def _sender(url: ChannelUrl) -> Address:
    user = url.params.get("user") or url.user
    written = url.params.get("from") or (user if "@" in user else f"{user or 'slatimer'}@{url.host}")
    found = _addresses(written)
    if len(found) != 1:
        raise FaultyUrl("must name one sender, as in from=desk@example.org")
    name = clean(url.params.get("name", ""), _MAX_NAME) or found[0].display_name
    return Address(name or "slatimer", addr_spec=found[0].addr_spec)


def _addresses(listed: str) -> tuple[Address, ...]:
    """The addresses of a list: `ann@example.org`, `Ann <ann@example.org>` or `Ann:ann@example.org`, with commas."""
    return tuple(_address(each) for each in _items(listed))


def _items(listed: str) -> Iterator[str]:
    """The items of a list, split at commas outside of quotation marks. One pass."""
    item: list[str] = []
    quoted = False
    for character in f"{listed},":
        if character == '"':
            quoted = not quoted
        if character == "," and not quoted:
            if text := "".join(item).strip():
                yield text
            item.clear()
        else:
            item.append(character)
    if rest := "".join(item).strip():
        raise FaultyUrl(f"has a quotation mark without its second one, before {rest[:60]!r}")


def _address(item: str) -> Address:
    name, spec = "", item
    if item.endswith(">"):
        name, _, spec = item[:-1].rpartition("<")
    elif ":" in item:
        name, _, spec = item.rpartition(":")
    local, _, domain = spec.strip().rpartition("@")
    well_formed = (
        0 < len(local) <= _MAX_LOCAL
        and len(domain) <= _MAX_DOMAIN
        and set(local) <= _LOCAL
        and set(domain) <= _DOMAIN
        and all(domain.split("."))
        and all(local.split("."))
        and ("." in domain or domain == "localhost")
    )
    if not well_formed:
        raise FaultyUrl(
            f"names {clean(item, 60)!r}, who would get no mail. Write all recipients as one list of addresses, "
            "as in ?to=ann@example.org,bob@example.org"
        )
    return Address(clean(name.strip().strip("\"'"), _MAX_NAME), addr_spec=f"{local}@{domain}")


def compose(target: MailTarget, notice: Notice, at: datetime) -> EmailMessage:
    """The mail. Its id is made of what it is about, so that mail programs show a repeated one once."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = notice.subject
    mail["From"] = target.sender
    mail["To"] = target.to
    if target.cc:
        mail["Cc"] = target.cc
    if target.reply:
        mail["Reply-To"] = target.reply
    mail["Date"] = format_datetime(at)
    if notice.key:
        mail["Message-ID"] = f"<{notice.key}@{target.sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    if notice.severity is Severity.BREACH:
        mail["Importance"] = "high"
    mail.set_content(plain(notice) + "\n")
    mail.add_alternative(html(notice), subtype="html")
    return mail
