"""The pages of sign-on: register, sign in, second factors, Premium, staff; and the OpenID Connect endpoints."""
