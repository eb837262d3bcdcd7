"""Rows of what comes in: connections, inbound webhooks, snapshots and their origins, source files."""
