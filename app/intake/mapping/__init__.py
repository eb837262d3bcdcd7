"""What the adapters share: values, events, rules, sources, snapshots, readings."""
