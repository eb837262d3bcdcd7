"""Background work of a process: sweep, stream tail, retention, health, and the invariants of the database."""
