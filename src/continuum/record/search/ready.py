"""What the record itself has to say of a query before it can be planned."""

from continuum.fhir.query import Query
from continuum.record.index_rules import refuse_unready
from continuum.record.keys import Keys
from continuum.record.read import Connection
from continuum.record.search.measures import measured
from continuum.record.search.profiles import profiled
from continuum.record.search.terminology import coded
from continuum.record.visibility import Visibility


async def ready(conn: Connection, query: Query, visibility: Visibility, keys: Keys) -> Query:
    """The query with what only the record can tell: units that are filed, profiles below others, codes of value sets.

    Raises:
        NotYetIndexed: what was there before is still being indexed by one of its parameters.
        UnusableParameter: it names a value set or code system that is not here.
        TooCostly: there are more units, profiles or codes than can be asked for.
    """
    await refuse_unready(conn, query, keys)
    query = await coded(conn, query, visibility, keys)
    return await profiled(conn, await measured(conn, query), keys)
