-- Secrets with which a session is resumed: one row for each chain of sessions, of which each was opened with
-- the secret of the one before. No secret is stored, only its SHA-256.
CREATE TABLE resume_secrets (
    user INTEGER NOT NULL REFERENCES users (id),
    -- The first 16 bytes of the SHA-256 of the half that all secrets of the chain share.
    chain BLOB NOT NULL CHECK (length(chain) = 16),
    current BLOB NOT NULL CHECK (length(current) = 32), -- the secret that is good
    issued_at INTEGER NOT NULL,
    -- The secret that opened the newest session, until that session sends a request.
    previous BLOB CHECK (length(previous) = 32),
    previous_issued_at INTEGER,
    PRIMARY KEY (user, chain),
    CHECK ((previous IS NULL) = (previous_issued_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX resume_secrets_by_time ON resume_secrets (issued_at);
