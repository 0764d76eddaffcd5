"""Mails: queued once, sent once, tried again, to those who act for a child, and with nothing of anybody's health."""

from datetime import date

import pytest

from continuum.apps.admin.mail_catcher import catching
from continuum.identity import notices
from continuum.identity.limits import NOTICE_TRIES_MAX, NOTICE_WAIT_S
from continuum.interop.notices.sending import Sender
from continuum.interop.notices.texts import TEXTS, letter
from continuum.runtime.mail import Mailer

NOW = 1_790_000_000_000_000
PERSON = (
    "INSERT INTO identity.person (person_id, dod_id, given_names, family_name, family_key, sex, born, email, street,"
    " city, state, postal_code, country, patient_id, updated_us)"
    " VALUES ($1, $2, $3, 'Moss', 'moss', 'unknown', $4, $5, '', '', '', '', 'US', $6, 0)"
)


pytestmark = pytest.mark.server


class Clock:
    us = NOW

    def __call__(self) -> int:
        return self.us


async def true(_: notices.Notice) -> bool:
    return True


@pytest.fixture
async def family(pool):
    """A sergeant, the spouse who alone has an address of her own choice, and their toddler."""
    async with pool.connection() as conn:
        for number, (name, born, email) in enumerate((
            ("father", date(1990, 1, 1), "father@mail.example"), ("mother", date(1991, 1, 1), "old@mail.example"),
            ("toddler", date(2024, 1, 1), None),
        )):  # fmt: skip
            await conn.execute(PERSON, name, f"100000000{number}", name, born, email, f"p-{name}")
        for dependent, relation in (("mother", "spouse"), ("toddler", "child")):
            await conn.execute(
                "INSERT INTO identity.sponsorship VALUES ('father', $1, $2, '2020-01-01')", dependent, relation
            )
        await conn.execute("UPDATE identity.person SET email = 'mother@mail.example' WHERE person_id = 'mother'")
    return pool


def sender(pool, mailer, clock, still=true):
    return Sender(pool.connection, mailer, clock, address="https://ehr.example.org/portal", still=still)


async def queued(pool, **more):
    async with pool.connection() as conn:
        values = {"patient_id": "p-toddler", "due_us": NOW, "words": "Nov 24, 2026, 08:00 EST"} | more
        await notices.queue(conn, "appointment-ahead", "a@1", **values)


def mails(folder):
    return {path.name.partition("-")[2].removesuffix(".eml"): path.read_text() for path in folder.iterdir()}


async def test_those_who_look_after_a_child_are_told_once_and_nothing_of_what_it_is(family, tmp_path):
    await queued(family)
    await queued(family, words="again")
    with catching(tmp_path / "mail") as url:
        working = sender(family, Mailer(smtp_url=url, mail_from="desk@ehr.example.org"), Clock())
        assert await working.turn() == 1
        assert await working.turn() == 0
    found = mails(tmp_path / "mail")
    assert set(found) == {"father@mail.example", "mother@mail.example"}
    text = found["mother@mail.example"]
    assert "https://ehr.example.org/portal" in text.replace("=\n", "")
    assert "toddler" not in text
    assert "Moss" not in text


async def test_what_is_not_due_or_no_longer_so_is_not_sent(family, tmp_path):
    async def gone(_):
        return False

    await queued(family, due_us=NOW + 1)
    with catching(tmp_path / "mail") as url:
        mailer, clock = Mailer(smtp_url=url, mail_from="desk@ehr.example.org"), Clock()
        assert await sender(family, mailer, clock).turn() == 0
        clock.us += 2
        assert await sender(family, mailer, clock, gone).turn() == 1
        assert await sender(family, mailer, clock).turn() == 0
    assert mails(tmp_path / "mail") == {}


async def test_a_mail_server_that_is_away_is_tried_again_later_and_given_up_in_the_end(family, tmp_path):
    await queued(family)
    clock = Clock()
    away = sender(family, Mailer(smtp_url="smtp://127.0.0.1:9", mail_from="desk@ehr.example.org"), clock)
    assert await away.turn() == 1
    assert await away.turn() == 0, "not at once"
    clock.us += int(NOTICE_WAIT_S * 2_000_000)
    with catching(tmp_path / "mail") as url:
        back = sender(family, Mailer(smtp_url=url, mail_from="desk@ehr.example.org"), clock)
        assert await back.turn() == 1
    assert len(mails(tmp_path / "mail")) == 2
    async with family.connection() as conn:
        await notices.queue(conn, "appointment-ahead", "b@1", patient_id="p-father", due_us=clock.us)
    for _ in range(NOTICE_TRIES_MAX):
        assert await away.turn() == 1
        clock.us += int(NOTICE_WAIT_S * 1_000_000) << (NOTICE_TRIES_MAX + 1)
    assert await away.turn() == 0


@pytest.mark.parametrize("kind", list(TEXTS))
def test_every_mail_says_where_to_sign_in_and_that_nobody_reads_answers(kind):
    subject, text = letter(kind, words="Nov 24", address="https://x.example")
    assert text.count("https://x.example") == 2
    assert "911" in text
    assert len(subject) < 80
