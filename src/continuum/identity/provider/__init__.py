"""The OpenID Connect provider: authorization code with PKCE, tokens, userinfo, sign-out."""
