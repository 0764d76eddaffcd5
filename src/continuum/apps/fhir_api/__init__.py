"""The FHIR R4 REST interface: one thin ASGI application over the door."""
