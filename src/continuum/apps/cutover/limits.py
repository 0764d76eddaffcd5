"""How often the server looks after moves."""

MOVES_EVERY_S = 60.0
"""How often a worker looks for moves and facilities whose day has come."""
MOVES_ERROR_WAIT_S = 15.0
"""How long a worker waits after an error before it looks again."""
