"""Browsers as people know them, out of the User-Agent that they send (RFC 9110 §10.1.5)."""

_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
"""What is in it, and who that is: the first that is found, because most of them also name the others."""
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"), ("Linux", "Linux"),
)  # fmt: skip
_SHOWN_MAX_CHARS = 80


def told(user_agent: str) -> str:
    """Such as `Chrome, Linux`; what is none of the known browsers stays as it calls itself, in its first 80 letters."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    if not browser:
        return user_agent[:_SHOWN_MAX_CHARS]
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser}, {system}" if system else browser
