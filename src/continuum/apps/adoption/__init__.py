"""Printed pieces in the workspace: chosen, looked at and downloaded by staff."""
