"""How a life is planned: first the illnesses, then the visits."""
