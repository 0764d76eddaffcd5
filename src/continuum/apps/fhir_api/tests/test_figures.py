"""What a worker tells of itself."""

from continuum.access import Access
from continuum.access.reindexing import Progress
from continuum.apps.fhir_api.figures import figures


def test_what_is_being_indexed_again_is_told_by_type(pool):
    access = Access(pool.connection, key_secret=bytes(32), audit_secret=bytes(32))
    assert "type=" not in figures(pool, access).decode().partition("continuum_reindex_rows")[2]
    text = figures(pool, access, [Progress("Observation", 120, 600, 5_000, 0, None)]).decode()
    assert 'continuum_reindex_rows{type="Observation",state="done"} 120\n' in text
    assert 'continuum_reindex_rows{type="Observation",state="left"} 880\n' in text
    begun = figures(pool, access, [Progress("Observation", 0, 0, 5_000, 0, None)]).decode()
    assert 'state="done"} 0\n' in begun
    assert 'state="left"' not in begun
