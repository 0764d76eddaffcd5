"""Bounds of what the server does about appointments by itself."""

KEEPER_POLL_S = 5.0
"""Seconds after which times are told even if nobody said that something was written."""
KEEPER_OFFERS_EVERY_S = 30.0
"""Seconds between looks for offers and reminders that are due."""
KEEPER_OPEN_EVERY_S = 3_600.0
"""Seconds between looks at what templates want to be open."""
KEEPER_ERROR_WAIT_S = 5.0
"""Seconds to wait when the database refused."""
CALENDARS_MAX = 5_000
"""Calendars that are kept open by the server."""
REMIND_AHEAD_HOURS = 24
"""How long before an appointment its person is reminded."""
REMIND_SWEPT_HOURS = 2
"""How much further ahead is looked each time, so that nothing is missed between two looks."""
REMIND_EVERY_S = 3_600.0
"""Seconds between looks for appointments that are near."""
SEND_EVERY_S = 15.0
"""Seconds between looks for mails that are due."""
TIMES_OFFERED_MAX = 12
"""Free times of a kind of visit among which staff choose one to offer."""
