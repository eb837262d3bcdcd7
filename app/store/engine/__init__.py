"""Database engine: connections, transactions, locks, migrations, partitions, announcements.

Three executors are nested. The figures are requests a second at 32 concurrent senders, on SQLite with a durable commit:

    coroutines of requests
      |  submit
      v
    GroupCommit                 in the event loop: members that wait while a transaction runs share the next one.
      |  write                  2,620 instead of 824, since the commit costs more than the rest of a transaction
      v
    Database                    1 writer thread, some reader threads: database calls do not block the event loop, and
      |  run                    one hop a transaction gives 824, an asynchronous driver 457. SQLite has one writer
      v                         anyway; on PostgreSQL four group committers are no faster than one
    TransactionRunner           one connection used by one thread: no pool and no check-out. On PostgreSQL it has an
      |                         event loop of its own, since the driver (asyncpg) is asynchronous
      v
    SQLite file or PostgreSQL server

Reads enter at `Database.read`. `prepared` has the statements of the hot path. `dialect` has the differences between the
two databases, `sqlite` and `postgres` the connections, `migrate` the schema, `partitions` the monthly event log,
`notify` the announcements between processes.
"""
