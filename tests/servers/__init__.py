"""The suite's own servers: a PostgreSQL and a Valkey that tests, benchmarks and the chaos harness start and kill.

`postgres.start()` and `valkey.start()` give a running server on a free port of this machine, in a temporary folder. It
can be killed and started again on the same data, and it ends with the process that started it, however that ends.
`databases` lends tests a database of either kind.
"""
