"""The database itself: connections, transactions, locks, dialects, migrations, partitions, notifications."""
