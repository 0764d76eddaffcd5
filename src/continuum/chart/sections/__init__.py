"""One module for each part of a record; to add a part, add a file."""
