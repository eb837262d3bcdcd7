"""Every pattern of the code is matched in time that grows linearly with the text."""
