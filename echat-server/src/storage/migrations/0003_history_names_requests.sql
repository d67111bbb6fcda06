-- The name of this database's history (key `history` of LOGIN_BUNDLE): one row, written when a server
-- first opens the file, and changed when a restored backup is noticed.
CREATE TABLE history (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL
) STRICT;

-- A declined friend request stays for a while: asking again before that succeeds and tells the receiver
-- nothing. `asked_again` says whether the sender did.
ALTER TABLE friend_requests ADD COLUMN declined_at INTEGER;
ALTER TABLE friend_requests ADD COLUMN asked_again INTEGER NOT NULL DEFAULT 0
    CHECK (asked_again IN (0, 1));
CREATE INDEX friend_requests_pending ON friend_requests (receiver, id) WHERE declined_at IS NULL;
CREATE INDEX friend_requests_declined ON friend_requests (declined_at)
    WHERE declined_at IS NOT NULL AND asked_again = 0;

-- Rooms that a user left: the owner cannot add the user again, only the user can join again.
CREATE TABLE left_rooms (
    user INTEGER NOT NULL REFERENCES users (id),
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    left_at INTEGER NOT NULL,
    PRIMARY KEY (user, conversation)
) STRICT, WITHOUT ROWID;

-- What each name looks like (echat_proto::names::looks): no new name may share a look with another of its
-- kind. Names from before may, and a name has several looks, so the id is part of the key.
CREATE TABLE name_looks (
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)), -- 0 a user's, 1 a room's
    look TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (kind, look, id)
) STRICT, WITHOUT ROWID;
INSERT INTO name_looks (kind, look, id)
    SELECT 0, l.value, u.id FROM users AS u CROSS JOIN json_each(looks(u.name)) AS l;
INSERT INTO name_looks (kind, look, id)
    SELECT 1, l.value, r.id FROM rooms AS r CROSS JOIN json_each(looks(r.name)) AS l;

-- One skeleton a name is not enough any more. A column that is UNIQUE can only be left behind by making
-- the table anew, while foreign keys are off; they are checked before the commit.
CREATE TABLE users_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL, -- a PHC string, never a password
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO users_anew (id, name, password, created_at)
    SELECT id, name, password, created_at FROM users ORDER BY id;
-- Numbers are not given out again, not even those above the last account.
DELETE FROM sqlite_sequence WHERE name = 'users_anew';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'users_anew', seq FROM sqlite_sequence WHERE name = 'users';
DROP TABLE users;
ALTER TABLE users_anew RENAME TO users;

CREATE TABLE rooms_anew (
    id INTEGER PRIMARY KEY REFERENCES conversations (id),
    name TEXT NOT NULL UNIQUE,
    owner INTEGER NOT NULL REFERENCES users (id),
    members INTEGER NOT NULL DEFAULT 0 CHECK (members >= 0), -- counted here: a room may have 10,000
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO rooms_anew (id, name, owner, members, created_at)
    SELECT id, name, owner, members, created_at FROM rooms ORDER BY id;
DROP TABLE rooms;
ALTER TABLE rooms_anew RENAME TO rooms;
CREATE INDEX rooms_by_owner ON rooms (owner);
