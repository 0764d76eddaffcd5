"""What staff of a clinic do on its pages, in a browser without JavaScript."""

CLINIC = "/workspace/clinic"


def patient(clinic):
    """The retiree, whom all of these are about."""
    return clinic.hospital.persona("retiree").patient_id


def forms(browser, part):
    """The forms of the page whose address has this part."""
    return [one for one in browser.page.forms if part in one.action]


async def step(browser, appointment, name, **more):
    """Takes an appointment a step on."""
    form = next(one for one in browser.page.forms if one.action.endswith(f"/{appointment}/step"))
    return await browser.arrive(await browser.http.post(form.action, data={**form.fields, "step": name, **more}))
