"""The control room and the HTTP API."""
