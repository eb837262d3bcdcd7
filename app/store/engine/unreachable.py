"""`Unreachable`: the database cannot be used now."""


class Unreachable(ConnectionError):
    """The database is unreachable, busy or full, or did not answer in time. Whether the last transaction was committed
    is unknown; retry it: every transaction is idempotent."""
