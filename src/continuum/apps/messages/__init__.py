"""Messages: what people see of them in the portal, and staff in the workspace."""
