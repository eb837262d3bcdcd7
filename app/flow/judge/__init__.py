"""The write path: events are stored, their tickets evaluated, signals emitted, in one transaction."""
