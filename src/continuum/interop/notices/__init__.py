"""Notices: mails that say that there is something, and never what."""
