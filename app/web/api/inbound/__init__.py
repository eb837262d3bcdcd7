"""Inbound webhooks of ticket systems, and the inbox."""
