"""Inbound webhooks, connections, snapshots, origins of events, files of sources."""
