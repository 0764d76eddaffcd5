"""What an act costs: CPU of server and PostgreSQL for each request, the client left out. Figures, never gates."""
