"""Resources of subscriptions and their deliveries, and the description of the webhooks."""
