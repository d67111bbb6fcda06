-- Accounts, friends, rooms and bots as people manage them.

-- Accounts. A deleted account keeps its row under the name "deleted account N", which no user can have. Its
-- skeletons stay in name_looks, so that its name is never given out again.
ALTER TABLE users ADD COLUMN administrator INTEGER NOT NULL DEFAULT 0 CHECK (administrator IN (0, 1));
ALTER TABLE users ADD COLUMN must_change_password INTEGER NOT NULL DEFAULT 0
    CHECK (must_change_password IN (0, 1));
ALTER TABLE users ADD COLUMN away TEXT;
ALTER TABLE users ADD COLUMN last_seen INTEGER; -- the end of the last session
ALTER TABLE users ADD COLUMN hides_last_seen INTEGER NOT NULL DEFAULT 0 CHECK (hides_last_seen IN (0, 1));
ALTER TABLE users ADD COLUMN suspended_at INTEGER;
ALTER TABLE users ADD COLUMN suspended_until INTEGER; -- none: until an administrator ends it
ALTER TABLE users ADD COLUMN suspended_reason TEXT;
ALTER TABLE users ADD COLUMN deleted_at INTEGER;
-- The messages of a deleted account are hidden as soon as this is set, and become tombstones in portions.
ALTER TABLE users ADD COLUMN erased INTEGER NOT NULL DEFAULT 0 CHECK (erased IN (0, 1));

-- Devices that a user logged in from: the SHA-256 of the secret that each keeps.
CREATE TABLE devices (
    user INTEGER NOT NULL REFERENCES users (id),
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    used_at INTEGER NOT NULL,
    PRIMARY KEY (user, secret)
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_time ON devices (used_at);

-- Accounts that only a token opens: its SHA-256.
CREATE TABLE bots (
    user INTEGER PRIMARY KEY REFERENCES users (id),
    owner INTEGER NOT NULL REFERENCES users (id),
    token BLOB NOT NULL CHECK (length(token) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;
CREATE INDEX bots_by_owner ON bots (owner);

-- Codes to REGISTER with, as their makers list them.
CREATE TABLE invitation_codes (
    code TEXT PRIMARY KEY,
    maker INTEGER NOT NULL REFERENCES users (id),
    uses INTEGER NOT NULL CHECK (uses > 0), -- that are left
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_codes_by_maker ON invitation_codes (maker);

-- The code of a first start, with which one account becomes an administrator: its SHA-256. It is deleted by
-- a success.
CREATE TABLE administrator_code (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    code BLOB NOT NULL CHECK (length(code) = 32)
) STRICT;

-- A friendship that ended keeps its conversation, which both can read and which goes on if they become
-- friends again.
ALTER TABLE friendships ADD COLUMN ended_at INTEGER;

-- Users that a user blocked. What a blocked user asks of the blocker is stored as that of any other user, and
-- shown to the blocker only if the block ends before it is dropped.
CREATE TABLE blocks (
    user INTEGER NOT NULL REFERENCES users (id),
    blocked INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user, blocked),
    CHECK (user <> blocked)
) STRICT, WITHOUT ROWID;
CREATE INDEX blocks_by_blocked ON blocks (blocked);

-- Rooms. The owner is a member. The lobby has no owner: administrators act as its owner. A room without
-- members is closed, so rooms that all members left are not kept.
CREATE TABLE closed_rooms ( -- conversations whose messages and participants are removed in portions
    id INTEGER PRIMARY KEY REFERENCES conversations (id)
) STRICT;
INSERT INTO closed_rooms (id) SELECT id FROM rooms WHERE members = 0;

CREATE TABLE rooms_anew (
    id INTEGER PRIMARY KEY REFERENCES conversations (id),
    name TEXT NOT NULL UNIQUE,
    owner INTEGER REFERENCES users (id),
    members INTEGER NOT NULL DEFAULT 0 CHECK (members >= 0), -- counted here: a room may have 10,000
    created_at INTEGER NOT NULL,
    topic TEXT NOT NULL DEFAULT '',
    private INTEGER NOT NULL DEFAULT 0 CHECK (private IN (0, 1)),
    read_only INTEGER NOT NULL DEFAULT 0 CHECK (read_only IN (0, 1)),
    slow_seconds INTEGER NOT NULL DEFAULT 0 CHECK (slow_seconds BETWEEN 0 AND 3600),
    keep_days INTEGER CHECK (keep_days BETWEEN 0 AND 36500) -- none: as the server keeps
) STRICT;
-- An owner who left passes the room to the member that has been in it longest.
INSERT INTO rooms_anew (id, name, owner, members, created_at)
    SELECT r.id, r.name,
           coalesce((SELECT p.user FROM participants AS p WHERE p.user = r.owner AND p.conversation = r.id),
                    (SELECT p.user FROM participants AS p WHERE p.conversation = r.id
                     ORDER BY p.joined_at, p.user LIMIT 1)),
           r.members, r.created_at
    FROM rooms AS r WHERE r.members > 0 ORDER BY r.id;
DROP TABLE rooms;
ALTER TABLE rooms_anew RENAME TO rooms;
CREATE INDEX rooms_by_owner ON rooms (owner);
CREATE INDEX rooms_public ON rooms (name) WHERE private = 0;
DELETE FROM name_endings WHERE kind = 1 AND id IN (SELECT id FROM closed_rooms);
DELETE FROM left_rooms WHERE conversation IN (SELECT id FROM closed_rooms);

ALTER TABLE participants ADD COLUMN operator INTEGER NOT NULL DEFAULT 0 CHECK (operator IN (0, 1));
-- Operators first, then the members in the order in which they came: the order of succession.
DROP INDEX participants_by_conversation;
CREATE INDEX participants_by_conversation ON participants (conversation, operator DESC, joined_at, user);

CREATE TABLE room_invitations (
    user INTEGER NOT NULL REFERENCES users (id),
    room INTEGER NOT NULL REFERENCES conversations (id),
    inviter INTEGER REFERENCES users (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user, room)
) STRICT, WITHOUT ROWID;
CREATE INDEX room_invitations_by_room ON room_invitations (room);

CREATE TABLE bans (
    room INTEGER NOT NULL REFERENCES conversations (id),
    user INTEGER NOT NULL REFERENCES users (id),
    operator INTEGER REFERENCES users (id), -- that banned the user
    created_at INTEGER NOT NULL,
    until INTEGER, -- none: until it is lifted
    reason TEXT,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX bans_by_user ON bans (user);

-- When each member last wrote to a room with slow mode. Leaving the room does not end the wait.
CREATE TABLE slow_mode (
    room INTEGER NOT NULL REFERENCES conversations (id),
    user INTEGER NOT NULL REFERENCES users (id),
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

-- A deleted message stays as a tombstone without content. Only the definition of the table changes: making it
-- anew would take minutes with ten million messages.
ALTER TABLE messages ADD COLUMN deleted_at INTEGER;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
    SET sql = replace(sql, 'CHECK (content <> '''')', 'CHECK (content <> '''' OR deleted_at IS NOT NULL)')
    WHERE type = 'table' AND name = 'messages';
PRAGMA writable_schema = RESET;

-- The rules for names that look alike have changed. The names of accounts and rooms that exist are judged by
-- the new ones from now on; existing names stay.
DELETE FROM name_looks;
INSERT INTO name_looks (kind, look, id)
    SELECT 0, l.value, u.id FROM users AS u CROSS JOIN json_each(looks(u.name)) AS l;
INSERT INTO name_looks (kind, look, id)
    SELECT 1, l.value, r.id FROM rooms AS r CROSS JOIN json_each(looks(r.name)) AS l;
