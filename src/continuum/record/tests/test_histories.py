"""Histories: every version once, newest first, of one resource, a type, everything; pages, _since, _at."""

import random

import pytest

from continuum.kernel.errors import Malformed, NotFound
from continuum.record.tests.desk import Desk, observation, patient

START = 1_700_000_000_000_000
STEP = 1_000_000


class Past:
    """A desk whose clock goes on by a second with each act, and what happened by then, told independently."""

    def __init__(self, pool):
        self.now_us = START
        self.desk = Desk(pool, lambda: self.now_us)
        self.told: list[tuple[int, str, str, int, bool]] = []  # updated, type, id, version, deleted

    async def act(self, work):
        self.now_us += STEP
        stored = (await work).stored
        self.told.append((stored.updated_us, stored.resource_type, stored.id, stored.version, stored.deleted))

    def expected(self, kind=None, name=None, since=0, at=None):
        """What a history must show, newest first."""
        shown = []
        for number, entry in enumerate(self.told):
            updated, type_, id_, _, _ = entry
            if (kind and type_ != kind) or (name and id_ != name) or updated < since:
                continue
            until = next((one[0] for one in self.told[number + 1 :] if one[1:3] == (type_, id_)), None)
            if at is not None and (updated > at[1] or (until is not None and until <= at[0])):
                continue
            shown.append(entry)
        return shown[::-1]

    async def shown(self, kind=None, name=None, count=1_000, **more):
        """What the history shows, all pages."""
        found, cursor = [], ""
        for _ in range(500):
            page = await self.desk.history(kind, name, count=count, cursor=cursor, **more)
            assert len(page.matches) <= count
            found += page.matches
            cursor = page.next_cursor
            if not cursor:
                return [(one.updated_us, one.resource_type, one.id, one.version, one.deleted) for one in found]
        raise AssertionError("the pages do not end")


@pytest.fixture
async def past(pool):
    story = Past(pool)
    rng = random.Random(3)
    for number in range(4):
        await story.act(story.desk.update(patient(id=f"p{number}")))
    for number in range(60):
        name = f"p{rng.randrange(4)}"
        kind = rng.randrange(4)
        if kind == 0:
            await story.act(story.desk.create(observation("Patient/p3", valueInteger=number)))
        elif kind == 1 and name != "p3" and not story.expected("Patient", name)[0][4]:
            await story.act(story.desk.delete("Patient", name))
        else:
            await story.act(story.desk.update(patient(id=name, multipleBirthInteger=number)))
    assert any(entry[4] for entry in story.told)
    return story


async def test_a_count_says_how_many_versions_there_are_and_shows_none(past):
    middle = START + 30 * STEP
    for where in ((), ("Patient",), ("Observation",), ("Patient", "p0"), ("Patient", "p3")):
        kind, name = (*where, None, None)[:2]
        for told, asked in (
            ({}, {}),
            ({"since": middle}, {"since_us": middle}),
            ({"at": (middle, middle + STEP)}, {"at": (middle, middle + STEP)}),
        ):
            page = await past.desk.history(kind, name, count=0, **asked)
            assert page.matches == ()
            assert page.next_cursor == ""
            assert page.total == len(past.expected(*where, **told)), (where, asked)
    with pytest.raises(NotFound):
        await past.desk.history("Patient", "never", count=0)


@pytest.mark.parametrize("count", [1, 2, 7, 1_000])
async def test_every_version_is_shown_once_newest_first_whatever_the_page(past, count):
    for where in ((), ("Patient",), ("Observation",), ("Patient", "p0"), ("Patient", "p3")):
        assert await past.shown(*where, count=count) == past.expected(*where)


async def test_since_shows_what_was_made_from_that_instant_on(past):
    for where in ((), ("Patient",), ("Patient", "p0")):
        for steps in (0, 1, 20, 21, 40, 64, 65, 90):
            since = START + steps * STEP
            for offset in (-1, 0, 1):
                shown = await past.shown(*where, count=9, since_us=since + offset)
                assert shown == past.expected(*where, since=since + offset)


async def test_at_shows_what_was_the_present_at_that_moment(past):
    for where in ((), ("Patient",), ("Patient", "p1")):
        for steps in (0, 1, 10, 30, 64, 90):
            for width in (0, STEP // 2, 5 * STEP):
                at = (START + steps * STEP + 7, START + steps * STEP + 7 + width)
                assert await past.shown(*where, count=5, at=at) == past.expected(*where, at=at)


async def test_a_page_begun_before_new_versions_came_goes_on_without_repeat(past):
    first = await past.desk.history("Patient", count=5)
    await past.act(past.desk.update(patient(id="p3", active=True)))
    second = await past.desk.history("Patient", count=5, cursor=first.next_cursor)
    expected = past.expected("Patient")[1:11]
    assert [(one.id, one.version) for one in (*first.matches, *second.matches)] == [one[2:4] for one in expected]


async def test_a_deleted_resource_keeps_its_history_and_one_that_never_was_has_none(past):
    await past.act(past.desk.update(patient(id="short")))
    await past.act(past.desk.delete("Patient", "short"))
    page = await past.desk.history("Patient", "short")
    assert [(one.version, one.deleted, one.body is None) for one in page.matches] == [
        (2, True, True),
        (1, False, False),
    ]
    with pytest.raises(NotFound):
        await past.desk.history("Patient", "never")
    with pytest.raises(NotFound):
        await past.desk.history("Observation", "short")


@pytest.mark.parametrize("cursor", ["x", "AAAA", "é", "A" * 26, "A" * 400])
async def test_a_page_link_that_was_changed_is_refused(past, cursor):
    with pytest.raises(Malformed, match="page link"):
        await past.desk.history("Patient", cursor=cursor)
