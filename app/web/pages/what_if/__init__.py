"""What if: tickets of a span judged again under other targets or hours, beside how they were judged."""
