"""What runs by itself: sweep, stream tail, retention, heartbeat, and the invariants that must hold."""
