"""Reports: whether a desk keeps its commitments, whether it gets better, and when and why it fails."""
