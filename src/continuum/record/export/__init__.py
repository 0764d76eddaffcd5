"""Reading much of the record at once: what is wanted, in which pieces, and the lines of each piece."""
