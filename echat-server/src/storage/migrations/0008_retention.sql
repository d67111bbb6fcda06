-- Retention. A message that is too old is found and passed over in the index, without its row: the time is in it.
DROP INDEX messages_by_conversation;
CREATE INDEX messages_by_conversation ON messages (conversation, id, sender, send_time);

-- Rooms that keep messages for a time of their own.
CREATE INDEX rooms_by_retention ON rooms (id) WHERE keep_days IS NOT NULL;

-- Messages that were told to those online and not kept: what a message sent again is compared with.
CREATE TABLE unkept_messages (
    sender INTEGER NOT NULL REFERENCES users (id),
    txn_id TEXT NOT NULL,
    id INTEGER NOT NULL, -- of the message
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    send_time INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32), -- HMAC-SHA256 of the content
    PRIMARY KEY (sender, txn_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX unkept_messages_by_conversation ON unkept_messages (conversation);

-- The time is in this one, too.
DROP INDEX tombstones;
CREATE INDEX tombstones ON messages (conversation, id, sender, deleted_at, send_time) WHERE deleted_at IS NOT NULL;

-- What names of a database of the original E-Chat have become, so that it can be imported again.
CREATE TABLE imported_names (
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)), -- 0 a user's, 1 a room's
    name TEXT NOT NULL,
    id INTEGER NOT NULL, -- of the user or room, which may be gone
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- What a repair needs to know of rows that it cannot read: messages that are hidden, friendships that ended.
CREATE INDEX users_erased ON users (id) WHERE erased = 1;
CREATE INDEX friendships_ended ON friendships (conversation) WHERE ended_at IS NOT NULL;

-- Names that rooms had before: a message sent again may name its room as it was called then.
CREATE TABLE former_room_names (
    room INTEGER NOT NULL REFERENCES conversations (id),
    name TEXT NOT NULL,
    PRIMARY KEY (room, name)
) STRICT, WITHOUT ROWID;

-- Members who came within the same second, in the order in which they came: the order of succession.
ALTER TABLE participants ADD COLUMN join_order INTEGER NOT NULL DEFAULT 0;
DROP INDEX participants_by_conversation;
CREATE INDEX participants_by_conversation
    ON participants (conversation, operator DESC, joined_at, join_order, user);

-- The end of an account takes the user off the invitations that came from it.
CREATE INDEX room_invitations_by_inviter ON room_invitations (inviter, user);
