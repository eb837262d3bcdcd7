"""Sends a mail by SMTP to an address that was checked. Blocks, so it runs in a thread.

The connection is made to the checked address, and the certificate is verified for the server's name: a name that
resolves differently afterwards changes nothing. Reasons of refusals are the server's own words, cleaned and bounded.
"""

import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Final

from app.delivery.channels.mail import MailServer, MailTarget
from app.delivery.clean import clean
from app.delivery.outcome import Attempt, DeliveryOutcome

_MAX_REASON: Final = 300
"""Characters of a server's answer that are stored. Servers write a sentence and sometimes an address for help."""
_MAX_SHOWN: Final = 5
"""Refused recipients named in a reason."""
_HELO: Final = "slatimer.invalid"
"""The name in the greeting. The machine's own would disclose the operator's network to a tenant's server."""


class _Pinned(smtplib.SMTP):
    """Connects to the checked address; the name serves for TLS only."""

    def __init__(
        self, server: MailServer, address: str, port: int, timeout: float, tls: ssl.SSLContext
    ) -> None:
        self._address, self._tls, self._implicit = address, tls, server.implicit_tls
        super().__init__(server.host, port, local_hostname=_HELO, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connected = socket.create_connection((self._address, port), timeout)
        return self._tls.wrap_socket(connected, server_hostname=host) if self._implicit else connected


@dataclass(slots=True)
class SmtpAttempt:
    """One attempt to send a mail. `cancel` ends it from another thread, whatever the server does."""

    target: MailTarget
    address: str
    tls: bool
    timeout: float
    context: ssl.SSLContext
    _open: list[smtplib.SMTP] = field(default_factory=list[smtplib.SMTP])
    _cancelled: bool = False

    def cancel(self) -> None:
        """Cut the connection: what the thread waits for then fails at once."""
        self._cancelled = True
        for each in self._open:
            connection = getattr(each, "sock", None)
            if connection is not None:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    return  # it was closed already

    def send(self, mail: EmailMessage) -> Attempt:
        """Send the mail and return the result."""
        try:
            return self._send(mail)
        except smtplib.SMTPRecipientsRefused as error:
            return Attempt(
                DeliveryOutcome.UNSENT, f"all recipients were refused: {_refused(error.recipients)}"
            )
        except smtplib.SMTPResponseException as error:
            reason = f"the mail server answered {_answer(error.smtp_code, error.smtp_error)}"
            return Attempt(DeliveryOutcome.UNSENT, reason, error.smtp_code)
        except ssl.SSLError as error:
            return Attempt(DeliveryOutcome.TLS, clean(error, _MAX_REASON))
        except TimeoutError:
            return Attempt(
                DeliveryOutcome.TIMEOUT, f"the mail server did not answer within {self.timeout:g} s"
            )
        except ConnectionRefusedError:
            return Attempt(DeliveryOutcome.CONNECT, "the mail server refused the connection")
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return Attempt(DeliveryOutcome.BROKEN, clean(error, _MAX_REASON) or type(error).__name__)

    def _send(self, mail: EmailMessage) -> Attempt:
        server = self.target.server
        port = server.port_for(tls=self.tls)
        smtp = _Pinned(server, self.address, port, self.timeout, self.context)
        try:
            self._open.append(smtp)
            if self._cancelled:
                raise TimeoutError
            refused = self._hand_over(smtp, mail)
            # The mail is accepted. Whatever the server says to the farewell, sending it again would be wrong.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
        finally:
            smtp.close()
        if refused:
            return Attempt(DeliveryOutcome.DELIVERED, f"accepted, but not for {_refused(refused)}")
        return Attempt(DeliveryOutcome.DELIVERED, "accepted by the mail server")

    def _hand_over(self, smtp: smtplib.SMTP, mail: EmailMessage) -> dict[str, tuple[int, bytes]]:
        """Send the mail. Returns the recipients that were refused beside others that were not."""
        server, target = self.target.server, self.target
        smtp.ehlo()
        if self.tls and not server.implicit_tls:
            smtp.starttls(context=self.context)
            smtp.ehlo()
        if server.user:
            smtp.login(server.user, server.password)
        return smtp.send_message(mail, target.sender.addr_spec, target.recipients)


def _refused(recipients: Any) -> str:
    found: Sequence[tuple[str, tuple[int, bytes]]] = list(recipients.items())
    named = [f"{who} ({_answer(code, text)})" for who, (code, text) in found[:_MAX_SHOWN]]
    more = f" and {len(found) - _MAX_SHOWN} more" if len(found) > _MAX_SHOWN else ""
    return clean(", ".join(named) + more, 2 * _MAX_REASON)


def _answer(code: int, text: bytes | str) -> str:
    words = text if isinstance(text, str) else text[: 4 * _MAX_REASON].decode("utf-8", "replace")
    return clean(f"{code} {words}", _MAX_REASON)
