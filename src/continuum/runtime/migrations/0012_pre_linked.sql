-- Which account of another OpenID Connect provider opens which account here. Instants (`*_us`) as in schema `identity`.
CREATE TABLE identity.linked_account (
  issuer     text   COLLATE "C" NOT NULL,
  subject    text   COLLATE "C" NOT NULL,   -- `sub`: the provider never gives it to another person
  account_id text   NOT NULL REFERENCES identity.account ON DELETE CASCADE,
  linked_us  bigint NOT NULL,
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX linked_account_account ON identity.linked_account (account_id);
