"""Signing in by way of other OpenID Connect providers: which, how they are asked, and whom they bring."""
