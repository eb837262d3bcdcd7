"""Reports over HTTP: figures by period and split, and the clocks behind each figure."""
