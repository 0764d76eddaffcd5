"""One module for each command, with its click object called `command`."""
