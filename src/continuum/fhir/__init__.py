"""The R4 language: definitions, JSON, validators, search-index extractors and search grammar. Pure."""
