"""What a desk has promised: commitments, levels, queue rules, versions, and the file that states them."""
