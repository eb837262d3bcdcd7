"""Subscriptions, their deliveries, and the webhooks that a subscriber receives."""
