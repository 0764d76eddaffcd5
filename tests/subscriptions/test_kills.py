"""What is killed loses no event and turns none round: two workers on one database, one of them killed at a time.

The controls are the same kills of workers that were spoiled on purpose (`spoiled.py`).
"""

import pytest

from tests.faults.figures import SEED
from tests.subscriptions.conftest import CONTROL_KILLS, KILLS
from tests.subscriptions.spoiled import PREPARED, WAYS
from tests.subscriptions.storm import raged

pytestmark = [pytest.mark.server, pytest.mark.proof, pytest.mark.timeout(3_600)]


async def test_no_event_is_lost_or_out_of_order_over_many_kills(test_server, template, page):
    found = await raged(test_server, template, KILLS, SEED)
    total = sum(map(len, found.committed.values()))
    page.told("Kills", f"{found.kills} in {found.took_s:.0f} s")
    page.held("Acknowledged writes", len(found.acknowledged), "more than kills",
              holds=len(found.acknowledged) > KILLS)  # fmt: skip
    page.told("Versions committed, acknowledged or not", total)
    page.told("Versions told", sum(map(len, found.told.versions().values())))
    page.zero("Lost: committed and not told", found.lost)
    page.zero("Told or acknowledged, and not committed", found.invented)
    page.zero("Out of order: after a later number, or a later version of their resource", found.misplaced)
    page.zero("Holes in the numbers", found.holes)
    page.told("Told twice, under the same number", found.told.deliveries - len(found.told.events))
    page.judge()


@pytest.mark.parametrize("which", WAYS)
async def test_a_worker_that_is_spoiled_loses_events_and_is_found_out(test_server, template, page, which):
    program = ("tests.subscriptions.spoiled", which)
    found = await raged(test_server, template, CONTROL_KILLS, SEED, program, PREPARED)
    total = sum(map(len, found.committed.values()))
    page.held(f"Control: lost when {WAYS[which]}", f"{len(found.lost):,} of {total:,}", "more than 0",
              holds=bool(found.lost))  # fmt: skip
    page.judge()
