"""Reports: figures of a desk's ticket clocks and queues, by period and by what a ticket is."""
