"""The mean wait of a month's calls: calls from their facts, a month's figures, and its signals. Pure."""
