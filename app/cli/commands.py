"""The commands of `slatimer`, by name. A command's module is imported when the command runs.

So `slatimer --help` imports none of them, and `slatimer deadline` neither a database driver nor a web framework. The
short help of each command, which the list of commands shows, is therefore in the table here.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from app.cli.lean import without_collections
from app.cli.terminal import result

_COMMANDS: Final = {
    "serve": ("app.cli.serve", "Run the web process: the API, the stream and the pages."),
    "worker": ("app.cli.worker", "Run a worker that sweeps and delivers. Needs Redis."),
    "demo": ("app.cli.demo.command", "Run the service with five desks and two invented months."),
    "apply": ("app.cli.apply", "Put calendars, agreements and sources into force."),
    "versions": ("app.cli.versions", "List a desk's versions, show one, compare two."),
    "check": ("app.cli.check", "Validate calendars, agreements and sources."),
    "deadline": ("app.cli.deadline", "Compute a deadline, without a server or a database."),
    "replay": ("app.cli.replay", "Replay an event log and count how its clocks stand."),
    "export": ("app.cli.export", "Export everything of a desk as JSON lines and CSV."),
    "desk": ("app.cli.desk", "Move a desk to another server while it is in use."),
    "import": ("app.cli.import_desk", "Import an exported desk into another database."),
    "simulate": ("app.cli.simulate", "Judge recorded tickets under other hours, targets or contracts."),
    "contracts": ("app.cli.contracts", "Import customers' contracts, and list them."),
    "key": ("app.cli.key", "Create, list and revoke API keys."),
    "user": ("app.cli.user", "Create, list and disable people who sign in."),
    "audit": ("app.cli.audit", "List sign-ins, and what administrators did."),
    "secrets": ("app.cli.secrets", "Encrypt the secrets in the database."),
    "connect": ("app.cli.connect", "Connect a ticket system or a monitor to a desk."),
    "statements": ("app.cli.statements", "Compute what the contracts of a desk are owed for a month."),
    "record": ("app.cli.record", "Record an event by hand, as a call or an outage."),
    "inbox": ("app.cli.inbox", "List what could not be read or evaluated, and run it again."),
    "doctor": ("app.cli.doctor", "Check every invariant on the database."),
    "openapi": ("app.cli.openapi", "Write the OpenAPI document, or compare it."),
}
"""The module of each command, which has a Typer named `command`, and the command's short help."""


class _LazyGroup(TyperGroup):
    """A group that imports a command's module when the command runs."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the framework's signature
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command as the list of commands shows it: its name and its short help."""
        if cmd_name in self.commands or cmd_name not in _COMMANDS:
            return self.commands.get(cmd_name)
        return TyperCommand(cmd_name, help=_COMMANDS[cmd_name][1])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command to run, imported."""
        if args[0] in _COMMANDS and args[0] not in self.commands:
            self.commands[args[0]] = loaded(args[0])
        return super().resolve_command(ctx, args)


def loaded(name: str) -> Any:
    """A command with its module imported."""
    with without_collections():
        module = import_module(_COMMANDS[name][0])
    command = typer.main.get_command(module.command)
    command.name = name
    return command


cli = typer.Typer(
    cls=_LazyGroup,
    name="slatimer",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        result(version("slatimer"))
        raise typer.Exit


@cli.callback()
def slatimer(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """A service-level timer for help desks: explained deadlines, and breaches detected on time."""
