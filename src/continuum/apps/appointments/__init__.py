"""Appointments: pages of the portal and of the workspace, and what the server does for them by itself."""
