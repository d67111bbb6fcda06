-- Messages that change: edits, deletions, replies, mentions and reactions.

-- None of these columns takes bytes in the row of a plain message, and no index covers them.
ALTER TABLE messages ADD COLUMN reply_to INTEGER; -- a message of the same conversation, which may be gone
ALTER TABLE messages ADD COLUMN edited_at INTEGER;
-- The keyed digest of the content as first sent, from the first change on, for a txn_id that is sent again.
ALTER TABLE messages ADD COLUMN digest BLOB;
-- 1 if mentions or reactions may refer to it: nothing is looked up for others.
ALTER TABLE messages ADD COLUMN annotated INTEGER NOT NULL DEFAULT 0;

-- The key of these digests: one row, written when a server first opens the file.
CREATE TABLE digest_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;

-- The users that messages name, in the order of their names in the text.
CREATE TABLE mentions (
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    user INTEGER NOT NULL, -- 0: all members
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    sender INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (message, place)
) STRICT, WITHOUT ROWID;
-- A user's mentions are listed and counted without reading messages.
CREATE UNIQUE INDEX mentions_by_user ON mentions (user, conversation, message, sender);

-- The emoji of a message's reactions, in the order in which they came, and how many users reacted with each.
CREATE TABLE reactions (
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    emoji TEXT NOT NULL,
    users INTEGER NOT NULL CHECK (users > 0), -- counted here: a room may have 10,000
    PRIMARY KEY (message, place),
    UNIQUE (message, emoji)
) STRICT, WITHOUT ROWID;
CREATE TABLE reactors (
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    emoji TEXT NOT NULL,
    user INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (message, emoji, user)
) STRICT, WITHOUT ROWID;

-- What unread counts leave out: tombstones, and all messages of accounts that are being erased. Plain messages have no
-- entry.
CREATE INDEX tombstones ON messages (conversation, id, sender, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX users_being_erased ON users (erased) WHERE erased = 1;

-- The members that came after a message and do not see it, without reading the others.
CREATE INDEX participants_by_start ON participants (conversation, after_id, user);
