"""`Unreachable`: the database cannot be used now, and `DeskMoves`: one desk of it cannot."""


class Unreachable(ConnectionError):
    """The database is unreachable, busy or full, or did not answer in time. Whether the last transaction was committed
    is unknown; retry it: every transaction is idempotent."""


class DeskMoves(Unreachable):
    """The desk is being moved to another server, or lives there. Nothing was written; retry it. Other desks go on."""
