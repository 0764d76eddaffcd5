"""The design system: what pages look like, how they read in two languages, and how people and dates are written.

Server-rendered templates with macros over the U.S. Web Design System; a little script on top, which nothing
needs for reading. It knows nothing of the record: it is given names, instants and numbers, and writes them.
"""

from continuum.ui.render import Pages
from continuum.ui.view import Theme, View

__all__ = ["Pages", "Theme", "View"]
