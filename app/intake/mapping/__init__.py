"""What the adapters share: values, rules, snapshots, and expressions that a desk writes for other systems."""
