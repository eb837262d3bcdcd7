"""`slatimer user`: people who sign in. Create, list, disable them, change their roles, print links."""

from typing import Annotated, NoReturn

import typer

from app.cli.opened import opened
from app.cli.terminal import misused, remark, result
from app.flow.people import manage
from app.flow.people.links import link_below
from app.flow.people.manage import OPERATOR
from app.principal import PERSON_ROLES, Role, Roles, roles_on
from app.settings import Settings
from app.sla.span import Micros, instant
from app.store.engine.database import Connection
from app.store.people import persons
from app.store.people.persons import Person

command = typer.Typer(no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the person signs in with.")]
RoleOption = Annotated[str, typer.Option("--role", help="viewer, agent, lead or admin.")]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", help="The address at which people open the service; SLATIMER_PUBLIC_URL otherwise."
    ),
]
DeskOption = Annotated[str, typer.Option("--desk", help="The desk; several with commas, * for all.")]

_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not listened on
"""Addresses to listen on that are none to open."""
_FAULTS = (
    manage.UnknownPerson,
    manage.IsDisabled,
    persons.FaultyName,
    persons.NameTaken,
    persons.TooManyPeople,
)


@command.callback()
def user() -> None:
    """People who sign in."""


@command.command("add")
def add_user(
    name: Name,
    role: RoleOption,
    desk: DeskOption,
    display_name: Annotated[str | None, typer.Option("--display-name", help="The name in full.")] = None,
    subject: Annotated[
        str | None, typer.Option(help="Their id at the identity provider, where they sign in.")
    ] = None,
    url: UrlOption = None,
) -> None:
    """Create a person. A one-time link is printed, alone on standard output: it signs them in to set a password."""
    roles = _roles(role, desk)
    with opened() as runtime:
        issuer = runtime.settings.oidc_issuer
        if subject is not None and issuer is None:
            misused("--subject: there is no identity provider. Set SLATIMER_OIDC_ISSUER.")

        def work(conn: Connection, _: Micros) -> tuple[Person, tuple[str, Micros]]:
            made = manage.create(conn, OPERATOR, name, roles, runtime.settings, display_name=display_name)
            if subject is not None and issuer is not None:
                persons.set_provider(conn, made, issuer, subject)
            return made, manage.new_link(conn, OPERATOR, made.name, runtime.settings)

        try:
            made, link = runtime.database.write_now(work)
        except _FAULTS as error:
            _refused(error)
    remark(f"{made.name} is created: {_shown(made.roles)}.")
    _print_link(runtime.settings, link, url)


@command.command("list")
def list_users() -> None:
    """List everybody: name, roles by desk, how they sign in, whether they are disabled."""
    with opened() as runtime:
        everybody = runtime.database.read_now(persons.listed)
    for each in everybody:
        ways = [
            way
            for way, has in (
                ("password", each.has_password),
                ("second factor", each.has_second_factor),
                ("provider", each.issuer is not None),
            )
            if has
        ]
        state = "" if each.disabled_at is None else "  disabled"
        result(f"{each.name}  {_shown(each.roles)}  {','.join(ways) or '-'}{state}")


@command.command("link")
def link_user(
    name: Name,
    without_second_factor: Annotated[
        bool, typer.Option("--without-second-factor", help="Remove a second factor that is lost.")
    ] = False,
    url: UrlOption = None,
) -> None:
    """Print a one-time link for a person, alone on standard output. It replaces the one before."""
    with opened() as runtime:

        def work(conn: Connection, _: Micros) -> tuple[str, Micros]:
            if without_second_factor:
                manage.remove_second_factor(conn, OPERATOR, name)
            return manage.new_link(conn, OPERATOR, name, runtime.settings)

        try:
            link = runtime.database.write_now(work)
        except _FAULTS as error:
            _refused(error)
    _print_link(runtime.settings, link, url)


@command.command("disable")
def disable_user(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Enable them again.")] = False,
) -> None:
    """Disable a person: their sessions end, and they sign in no more. The record keeps their name."""
    with opened() as runtime:
        try:
            runtime.database.write_now(
                lambda conn, _: manage.set_disabled(conn, OPERATOR, name, disabled=not undo)
            )
        except _FAULTS as error:
            _refused(error)
    remark(f"{name} is {'enabled' if undo else 'disabled'}. A running service knows it within seconds.")


@command.command("roles")
def set_user_roles(
    name: Name,
    role: RoleOption,
    desk: DeskOption,
    remove: Annotated[bool, typer.Option("--remove", help="Take every role on these desks away.")] = False,
) -> None:
    """Give a person one role on desks, in place of the ones there. Roles on other desks stay; sessions end."""
    roles = _roles(role, desk)
    with opened() as runtime:

        def work(conn: Connection, _: Micros) -> Person:
            before = manage.required(conn, OPERATOR, name).roles
            others = {each: held for each, held in before.items() if each not in roles}
            return manage.change_roles(conn, OPERATOR, name, others if remove else {**others, **roles})

        try:
            changed = runtime.database.write_now(work)
        except _FAULTS as error:
            _refused(error)
    remark(f"{changed.name}: {_shown(changed.roles)}.")


def _roles(role: str, desk: str) -> Roles:
    if role not in PERSON_ROLES:
        misused(f"--role: {role} is no role of a person. Write {', '.join(PERSON_ROLES)}.")
    desks = [each.strip() for each in desk.split(",") if each.strip()]
    if not desks or not all(each.isprintable() for each in desks):
        misused("--desk: name a desk, several with commas, or * for all.")
    return roles_on(desks, [Role(role)])


def _shown(roles: Roles) -> str:
    return " ".join(f"{desk}:{','.join(sorted(each))}" for desk, each in sorted(roles.items())) or "no role"


def _print_link(settings: Settings, link: tuple[str, Micros], url: str | None) -> None:
    """Print a link below the address that is given or set; without one, below that of this machine, and say so."""
    secret, expires_at = link
    if url is not None and not url.startswith(("http://", "https://")):
        misused(f"--url: {url!r} is no address. Write it as https://sla.example.org.")
    base = url or settings.public_url
    remark(f"The link signs in once, until {instant(expires_at).isoformat(timespec='minutes')}.")
    if base is None:
        host = "localhost" if settings.host in _EVERY_ADDRESS else settings.host
        base = f"http://{host}:{settings.port}"
        remark(f"It leads to {base}. Opened from elsewhere? Give --url, or set SLATIMER_PUBLIC_URL.")
    result(link_below(base, secret))


def _refused(error: Exception) -> NoReturn:
    misused(str(error))
