"""What every page for people shares over HTTP: its files, how it is shown, and the living page of all parts."""
