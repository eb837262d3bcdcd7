"""The principal behind a secret, whatever the secret is of."""

from app.principal import Principal
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.people import keys, persons, sessions
from app.store.people.secrets import SESSION_PREFIX


def find(conn: Connection, secret: str, now: Micros) -> Principal | None:
    """The principal of a key's or a session's secret; None for one that is unknown or has ended."""
    by_prefix = sessions.find if secret.startswith(SESSION_PREFIX) else keys.find
    return by_prefix(conn, secret, now)


def has_no_principal(conn: Connection) -> bool:
    """Whether there is neither a person nor a key: on the first start."""
    return not persons.is_any(conn) and not keys.is_any(conn)
