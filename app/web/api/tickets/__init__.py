"""Events in; tickets, queues, breaches and signals out."""
