"""Printed pieces with which a facility tells its people of Continuum: fact sheets, brochures, postcard, posters."""
