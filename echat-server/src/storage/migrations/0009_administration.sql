-- Administration.

-- What was changed, from which door, and what came of it. Kept 400 days.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    door TEXT NOT NULL CHECK (door IN ('terminal', 'ctl', 'chat')),
    by TEXT NOT NULL, -- the administrator of the chat, or the user of the system
    command TEXT NOT NULL,
    result TEXT NOT NULL -- done, or the code that refused it
) STRICT;
CREATE INDEX audit_by_time ON audit (at);

-- Settings in place of those of the configuration.
CREATE TABLE server_settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Addresses that are not served.
CREATE TABLE address_bans (
    prefix TEXT PRIMARY KEY, -- an address, a slash, and the bits that count
    created_at INTEGER NOT NULL,
    until INTEGER -- none: until it is lifted
) STRICT, WITHOUT ROWID;

-- The operator of the server makes codes too, and is no user.
CREATE TABLE invitation_codes_anew (
    code TEXT PRIMARY KEY,
    maker INTEGER REFERENCES users (id), -- none: the operator of the server
    uses INTEGER NOT NULL CHECK (uses > 0), -- that are left
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO invitation_codes_anew SELECT code, maker, uses, created_at, expires_at FROM invitation_codes;
DROP TABLE invitation_codes;
ALTER TABLE invitation_codes_anew RENAME TO invitation_codes;
CREATE INDEX invitation_codes_by_maker ON invitation_codes (maker);
