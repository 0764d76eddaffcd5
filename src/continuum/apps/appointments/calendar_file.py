"""An appointment as a calendar file (RFC 5545): when and where, and nothing of why."""

from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event

from continuum.apps.appointments.shown import Shown


def calendar_file(appointment: Shown, *, summary: str, note: str, now: datetime, address: str) -> bytes:
    """The file of one appointment; the same appointment, moved, takes the place of what a calendar has of it.

    summary, note: in the reader's language. address: of the appointment's page.
    """
    assert appointment.starts is not None, "what waits for a time has no place in a calendar"
    assert appointment.ends is not None, "R4 app-4: either both are there or neither"
    calendar = Calendar()
    calendar.add("prodid", "-//Continuum//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    event = Event()
    event.add("uid", f"{appointment.id}@continuum")
    event.add("sequence", int(appointment.resource.get("meta", {}).get("versionId", 1)))
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", appointment.starts.astimezone(UTC))
    event.add("dtend", appointment.ends.astimezone(UTC))
    event.add("summary", summary)
    event.add("location", ", ".join(part for part in (appointment.place, appointment.address) if part))
    event.add("description", note)
    event.add("url", address)
    event.add("status", "CANCELLED" if appointment.state == "cancelled" else "CONFIRMED")
    event.add("class", "PRIVATE")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", timedelta(hours=-2))
    event.add_component(alarm)
    calendar.add_component(event)
    return bytes(calendar.to_ical())
