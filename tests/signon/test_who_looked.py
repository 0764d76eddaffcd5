"""What a patient reads on the page about who looked at the own record."""

import pytest

pytestmark = pytest.mark.server


async def test_a_patient_reads_who_looked_when_and_why(running, browser, steps, database):
    person, _ = await steps.register(browser)
    await browser.get("/signon/who-looked")
    assert browser.answer.status_code == 403, "a Basic session opens no record, and not its trace either"
    name = person.patient_id
    async with running.client("system", subject="import-program") as client:
        assert (await client.put(f"/Patient/{name}", json={"resourceType": "Patient", "id": name})).status_code == 201
    async with running.client("physician", subject="dr-who", facility="elsewhere", purpose="ETREAT") as doctor:
        reason = {"name": "reason", "valueString": "unconscious <b>after</b> a fall"}
        body = {"resourceType": "Parameters", "parameter": [reason]}
        assert (await doctor.post(f"/Patient/{name}/$break-the-glass", json=body)).status_code == 201
        assert (await doctor.get(f"/Patient/{name}")).status_code == 200
    await database.execute(
        "UPDATE identity.session s SET identity_level = 2, authenticator_level = 2 FROM identity.account a"
        " WHERE a.account_id = s.account_id AND a.person_id = $1",
        person.person_id,
    )
    await browser.get("/signon/who-looked")
    text = " ".join(browser.page.text.split())
    assert "dr-who (physician) looked at the personal details, for emergency treatment." in text
    assert "broke the glass to open the record, for emergency treatment: unconscious <b>after</b> a fall." in text
    assert "import-program (system) added the personal details" in text or "changed the personal details" in text
    assert "<b>after" not in browser.answer.text, "what others wrote is text"
    await browser.get("/signon/emergencies")
    assert browser.answer.status_code == 403
