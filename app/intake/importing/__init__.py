"""Reading event logs: the format of a file, its rows, their instants, and the events that they mean. Pure: no I/O."""
