"""What of a record went to others for another end than care, payment and running the hospital (45 CFR 164.528)."""

from starlette.responses import Response

from continuum.apps.frame.visit import Visit
from continuum.apps.portal.record import show
from continuum.apps.portal.whose import Whose, whose
from continuum.apps.signon.disclosing import as_file, as_text, named
from continuum.kernel.errors import NotFound


async def page(x: Visit) -> Response:
    """The accounting of six years."""
    here = await _open(x)
    found, more = await here.session.oversight.disclosures(here.patient_id)
    return show(x, here, "portal/disclosures.html", "disclosures", found=found, more=more, names=await named(x, found))


async def file(x: Visit) -> Response:
    """The same as text."""
    here = await _open(x)
    found, more = await here.session.oversight.disclosures(here.patient_id)
    text = as_text(
        found, more=more, about=f"Patient/{here.patient_id}", names=await named(x, found), now_us=x.access.clock(),
        view=x.reader,
    )  # fmt: skip
    return as_file(text)


async def _open(x: Visit) -> Whose:
    here = await whose(x)
    if here.limits.closed or here.limits.sections is not None:
        raise NotFound("This part of the record is not open to you.")
    return here
