"""The `slatimer` command.

Results go to standard output, alone, so that a script can read them; progress and messages go to standard error. Exit
codes: 0 success, 1 a check or the command failed, 2 usage error.
"""

from app.cli.commands import cli

__all__ = ["main"]


def main() -> None:
    """Run the command line, as `slatimer` and as `python -m app`."""
    cli()
