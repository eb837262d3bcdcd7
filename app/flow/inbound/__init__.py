"""Inbound webhooks: accepted, interpreted, reconciled; the inbox of what could not be read."""
