"""The keeper: a small process that owns one embedded PostgreSQL and lives as long as somebody uses it.

Whoever uses the server holds a connection to the keeper (a lease). A lease ends with its process, however
that ends, because the kernel closes its socket; with the last lease the keeper stops PostgreSQL and goes.
It imports only the standard library, so that it starts in a moment and stays small.
"""
