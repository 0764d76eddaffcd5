-- Letters with codes of two kinds: the one that makes an account Premium, and a recovery code for who has lost every
-- second factor. Instants (`*_us`) as in schema.sql.
ALTER TABLE identity.activation ADD COLUMN kind text NOT NULL DEFAULT 'activation'
  CHECK (kind IN ('activation', 'recovery'));
-- Until when a recovery code holds that was sent by post; NULL: its holder keeps it, and it holds until it is used.
ALTER TABLE identity.recovery_code ADD COLUMN expires_us bigint;
-- By what people say of themselves at the help desk.
CREATE INDEX person_email ON identity.person (lower(email)) WHERE email IS NOT NULL;
CREATE INDEX account_email ON identity.account (lower(email)) WHERE email IS NOT NULL;
