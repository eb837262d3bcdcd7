"""A mail server for the tests: it speaks as much SMTP as a client needs, and answers as it is set to."""

import asyncio
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import TracebackType


@dataclass
class MailServer:
    """The server. `answers` replaces its answer to a command that begins with these words."""

    answers: dict[str, str] = field(default_factory=dict[str, str])
    commands: list[str] = field(default_factory=list[str])
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    silent: bool = False
    port: int = 0
    _server: asyncio.Server | None = None

    def answer(self, command: str, usual: str) -> bytes:
        """The answer to a command."""
        set_to = (text for words, text in self.answers.items() if command.upper().startswith(words.upper()))
        return next(set_to, usual).encode() + b"\r\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            if self.silent:
                await reader.read()
                return
            writer.write(self.answer("greeting", "220 mail.example.org"))
            while line := await reader.readline():
                command = line.decode().strip()
                self.commands.append(command)
                if command.upper() == "DATA":
                    writer.write(b"354 go on\r\n")
                    data = await reader.readuntil(b"\r\n.\r\n")
                    read = message_from_bytes(data.removesuffix(b".\r\n"), policy=default)
                    self.mails.append(read)
                writer.write(self.answer(command, "250 ok"))
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def __aenter__(self) -> "MailServer":
        self._server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
