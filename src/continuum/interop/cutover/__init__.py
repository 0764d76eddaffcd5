"""Facilities that join in waves: their status and dates, people who move between them, and what travels with them."""
