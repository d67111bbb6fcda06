-- The first schema. Migrations are only ever appended: this file never changes again.
-- Times are unix seconds. Names are in their stored form (echat_proto::names).

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    skeleton TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL, -- a PHC string, never a password
    created_at INTEGER NOT NULL
) STRICT;

-- Addresses a user logged in from, for a budget of their own against guessing.
CREATE TABLE logins (
    user INTEGER NOT NULL REFERENCES users (id),
    address TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX logins_by_time ON logins (at);

-- Whatever has messages: a friendship (kind 0) or a room (kind 1).
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL CHECK (kind IN (0, 1))
) STRICT;

CREATE TABLE friend_requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sender INTEGER NOT NULL REFERENCES users (id),
    receiver INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    UNIQUE (receiver, sender),
    CHECK (sender <> receiver)
) STRICT;

-- One row a friendship, the older account first.
CREATE TABLE friendships (
    low_user INTEGER NOT NULL REFERENCES users (id),
    high_user INTEGER NOT NULL REFERENCES users (id),
    conversation INTEGER NOT NULL UNIQUE REFERENCES conversations (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (low_user, high_user),
    CHECK (low_user < high_user)
) STRICT, WITHOUT ROWID;
CREATE INDEX friendships_by_high_user ON friendships (high_user);

CREATE TABLE rooms (
    id INTEGER PRIMARY KEY REFERENCES conversations (id),
    name TEXT NOT NULL UNIQUE,
    skeleton TEXT NOT NULL UNIQUE,
    owner INTEGER NOT NULL REFERENCES users (id),
    members INTEGER NOT NULL DEFAULT 0 CHECK (members >= 0), -- counted here: a room may have 10,000
    created_at INTEGER NOT NULL
) STRICT;

-- Who is in a conversation, what they may see of it, and what they have read.
CREATE TABLE participants (
    user INTEGER NOT NULL REFERENCES users (id),
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    after_id INTEGER NOT NULL, -- sees messages with a greater id
    read_id INTEGER NOT NULL, -- has read messages up to this id
    joined_at INTEGER NOT NULL,
    PRIMARY KEY (user, conversation),
    CHECK (read_id >= after_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX participants_by_conversation ON participants (conversation);

-- One row a message, whatever the size of the room.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    sender INTEGER NOT NULL REFERENCES users (id),
    send_time INTEGER NOT NULL,
    content TEXT NOT NULL CHECK (content <> ''),
    txn_id TEXT
) STRICT;
-- With the sender in it, unread messages are counted without reading them.
CREATE INDEX messages_by_conversation ON messages (conversation, id, sender);
CREATE UNIQUE INDEX messages_by_txn_id ON messages (sender, txn_id) WHERE txn_id IS NOT NULL;

-- Every ending of every name, so that "part of a name" is the beginning of a row and one search
-- costs the same among ten names and ten million.
CREATE TABLE name_endings (
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)), -- 0 a user's, 1 a room's
    ending TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (kind, ending, id)
) STRICT, WITHOUT ROWID;
