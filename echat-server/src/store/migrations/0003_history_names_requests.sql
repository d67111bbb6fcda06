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

-- Rooms that a user left: the owner cannot add the user again, only the user can join again.
CREATE TABLE left_rooms (
    user INTEGER NOT NULL REFERENCES users (id),
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    left_at INTEGER NOT NULL,
    PRIMARY KEY (user, conversation)
) STRICT, WITHOUT ROWID;
