"""A desk moves between two servers while it is in use: `python -m tests.deskmove`, ROUNDS= of them.

Two whole deployments, each with a PostgreSQL of its own. Events of one desk flow all the time, by the address of the
server on which it lived first. Each round moves the desk to the other server; in some the command is killed in between
and run again, or the move is undone first. What is compared is that of the chaos harness: acknowledged events that are
missing, breaches that are missing, doubled or early, deliveries that are missing, out of order or made twice.
"""
