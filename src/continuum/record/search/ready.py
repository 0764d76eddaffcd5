"""What the record itself has to say of a query before it can be planned."""

from continuum.fhir.query import Query
from continuum.record.index_rules import refuse_unready
from continuum.record.keys import Keys
from continuum.record.read import Connection
from continuum.record.search.measures import measured
from continuum.record.search.profiles import profiled


async def ready(conn: Connection, query: Query, keys: Keys) -> Query:
    """The query with its quantities in all units that are filed, and with the profiles below those that it names.

    Raises:
        NotYetIndexed: what was there before is still being indexed by one of its parameters.
        TooCostly: there are more units or profiles than can be asked for.
    """
    await refuse_unready(conn, query, keys)
    return await profiled(conn, await measured(conn, query), keys)
