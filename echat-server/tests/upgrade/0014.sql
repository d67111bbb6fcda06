-- A database of schema version 14 as the server left it: ann, bob and cyn, whose password is that of
-- the tests; ann may resume her session; ann and bob are friends and share the room tea, cyn asks to be ann's friend.
PRAGMA foreign_keys = OFF;
PRAGMA application_id = 0x45434832;
PRAGMA user_version = 14;
BEGIN;
CREATE TABLE address_bans (
    prefix TEXT PRIMARY KEY, -- an address, a slash, and the bits that count
    created_at INTEGER NOT NULL,
    until INTEGER -- none: until it is lifted
) STRICT, WITHOUT ROWID;
INSERT INTO "address_bans" VALUES('203.0.113.0/24',1735689600,NULL);
CREATE TABLE administrator_code (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    code BLOB NOT NULL CHECK (length(code) = 32)
) STRICT;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    door TEXT NOT NULL CHECK (door IN ('terminal', 'ctl', 'chat')),
    by TEXT NOT NULL, -- the administrator of the chat, or the user of the system
    command TEXT NOT NULL,
    result TEXT NOT NULL -- done, or the code that refused it
) STRICT;
INSERT INTO "audit" VALUES(1,1735689600,'ctl','uid 1000','make-admin ann','done');
CREATE TABLE bans (
    room INTEGER NOT NULL REFERENCES conversations (id),
    user INTEGER NOT NULL REFERENCES users (id),
    operator INTEGER REFERENCES users (id), -- that banned the user
    created_at INTEGER NOT NULL,
    until INTEGER, -- none: until it is lifted
    reason TEXT,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE blocks (
    user INTEGER NOT NULL REFERENCES users (id),
    blocked INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user, blocked),
    CHECK (user <> blocked)
) STRICT, WITHOUT ROWID;
CREATE TABLE bots (
    user INTEGER PRIMARY KEY REFERENCES users (id),
    owner INTEGER NOT NULL REFERENCES users (id),
    token BLOB NOT NULL CHECK (length(token) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;
CREATE TABLE closed_rooms ( -- conversations whose messages and participants are removed in portions
    id INTEGER PRIMARY KEY REFERENCES conversations (id)
) STRICT;
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL CHECK (kind IN (0, 1))
) STRICT;
INSERT INTO "conversations" VALUES(1,0);
INSERT INTO "conversations" VALUES(2,1);
INSERT INTO "conversations" VALUES(3,1);
CREATE TABLE devices (
    user INTEGER NOT NULL REFERENCES users (id),
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    used_at INTEGER NOT NULL,
    PRIMARY KEY (user, secret)
) STRICT, WITHOUT ROWID;
CREATE TABLE digest_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;
INSERT INTO "digest_key" VALUES(1,X'82A7698919D12E51EEE0EF80A0CF2F34FFB660F207607D37680CAC9701D17273');
CREATE TABLE former_room_names (
    room INTEGER NOT NULL REFERENCES conversations (id),
    name TEXT NOT NULL, number INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room, name)
) STRICT, WITHOUT ROWID;
INSERT INTO "former_room_names" VALUES(2,'pot',1);
CREATE TABLE friend_requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sender INTEGER NOT NULL REFERENCES users (id),
    receiver INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL, declined_at INTEGER, asked_again INTEGER NOT NULL DEFAULT 0
    CHECK (asked_again IN (0, 1)),
    UNIQUE (receiver, sender),
    CHECK (sender <> receiver)
) STRICT;
INSERT INTO "friend_requests" VALUES(2,3,1,1735689600,NULL,0);
CREATE TABLE friendships (
    low_user INTEGER NOT NULL REFERENCES users (id),
    high_user INTEGER NOT NULL REFERENCES users (id),
    conversation INTEGER NOT NULL UNIQUE REFERENCES conversations (id),
    created_at INTEGER NOT NULL, ended_at INTEGER,
    PRIMARY KEY (low_user, high_user),
    CHECK (low_user < high_user)
) STRICT, WITHOUT ROWID;
INSERT INTO "friendships" VALUES(1,2,1,1735689600,NULL);
CREATE TABLE history (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL
) STRICT;
INSERT INTO "history" VALUES(1,'a03f6299b8a9307a');
CREATE TABLE imported_names (
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)), -- 0 a user's, 1 a room's
    name TEXT NOT NULL,
    id INTEGER NOT NULL, -- of the user or room, which may be gone
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE "invitation_codes" (
    code TEXT PRIMARY KEY,
    maker INTEGER REFERENCES users (id), -- none: the operator of the server
    uses INTEGER NOT NULL CHECK (uses > 0), -- that are left
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE left_rooms (
    user INTEGER NOT NULL REFERENCES users (id),
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    left_at INTEGER NOT NULL,
    PRIMARY KEY (user, conversation)
) STRICT, WITHOUT ROWID;
CREATE TABLE logins (
    user INTEGER NOT NULL REFERENCES users (id),
    address TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user, address)
) STRICT, WITHOUT ROWID;
INSERT INTO "logins" VALUES(1,'127.0.0.1',1735689600);
INSERT INTO "logins" VALUES(2,'127.0.0.1',1735689600);
INSERT INTO "logins" VALUES(3,'127.0.0.1',1735689600);
CREATE TABLE mentions (
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    user INTEGER NOT NULL, -- 0: all members
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    sender INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (message, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE message_ids (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    assigned INTEGER NOT NULL -- ids up to this one were assigned, or are skipped
) STRICT;
INSERT INTO "message_ids" VALUES(1,4);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    sender INTEGER NOT NULL REFERENCES users (id),
    send_time INTEGER NOT NULL,
    content TEXT NOT NULL CHECK (content <> '' OR deleted_at IS NOT NULL),
    txn_id TEXT
, deleted_at INTEGER, reply_to INTEGER, edited_at INTEGER, digest BLOB, annotated INTEGER NOT NULL DEFAULT 0, run_above INTEGER CHECK (run_above < id)) STRICT;
INSERT INTO "messages" VALUES(1,2,1,1735689600,'hello','a1',NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "messages" VALUES(2,2,2,1735689600,'你好','b1',NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "messages" VALUES(3,1,2,1735689600,'between us','b2',NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "messages" VALUES(4,2,1,1735689600,'without a txn_id',NULL,NULL,NULL,NULL,NULL,0,NULL);
CREATE TABLE name_endings (
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)), -- 0 a user's, 1 a room's
    ending TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (kind, ending, id)
) STRICT, WITHOUT ROWID;
INSERT INTO "name_endings" VALUES(0,'ann',1);
INSERT INTO "name_endings" VALUES(0,'b',2);
INSERT INTO "name_endings" VALUES(0,'bob',2);
INSERT INTO "name_endings" VALUES(0,'cyn',3);
INSERT INTO "name_endings" VALUES(0,'n',1);
INSERT INTO "name_endings" VALUES(0,'n',3);
INSERT INTO "name_endings" VALUES(0,'nn',1);
INSERT INTO "name_endings" VALUES(0,'ob',2);
INSERT INTO "name_endings" VALUES(0,'yn',3);
INSERT INTO "name_endings" VALUES(1,'a',2);
INSERT INTO "name_endings" VALUES(1,'bby',3);
INSERT INTO "name_endings" VALUES(1,'by',3);
INSERT INTO "name_endings" VALUES(1,'ea',2);
INSERT INTO "name_endings" VALUES(1,'lobby',3);
INSERT INTO "name_endings" VALUES(1,'obby',3);
INSERT INTO "name_endings" VALUES(1,'tea',2);
INSERT INTO "name_endings" VALUES(1,'y',3);
CREATE TABLE name_looks (
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)), -- 0 a user's, 1 a room's
    look TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (kind, look, id)
) STRICT, WITHOUT ROWID;
INSERT INTO "name_looks" VALUES(0,'ANN',1);
INSERT INTO "name_looks" VALUES(0,'BOB',2);
INSERT INTO "name_looks" VALUES(0,'CYN',3);
INSERT INTO "name_looks" VALUES(0,'ann',1);
INSERT INTO "name_looks" VALUES(0,'bob',2);
INSERT INTO "name_looks" VALUES(0,'cyn',3);
INSERT INTO "name_looks" VALUES(1,'LOBBY',3);
INSERT INTO "name_looks" VALUES(1,'TEA',2);
INSERT INTO "name_looks" VALUES(1,'lobby',3);
INSERT INTO "name_looks" VALUES(1,'tea',2);
CREATE TABLE participants (
    user INTEGER NOT NULL REFERENCES users (id),
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    after_id INTEGER NOT NULL, -- sees messages with a greater id
    read_id INTEGER NOT NULL, -- has read messages up to this id
    joined_at INTEGER NOT NULL, operator INTEGER NOT NULL DEFAULT 0 CHECK (operator IN (0, 1)), join_order INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user, conversation),
    CHECK (read_id >= after_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "participants" VALUES(1,1,0,0,1735689600,0,0);
INSERT INTO "participants" VALUES(1,2,0,2,1735689600,0,0);
INSERT INTO "participants" VALUES(2,1,0,0,1735689600,0,0);
INSERT INTO "participants" VALUES(2,2,0,0,1735689600,0,0);
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
INSERT INTO "resume_secrets" VALUES(1,X'4E1BCB5696532555508CED43D5A7BA07',X'2E4AC885D4706DA164F217255C77BAE3CA215939285E574A9B7D19AF430C6769',1735689600,NULL,NULL);
CREATE TABLE room_invitations (
    user INTEGER NOT NULL REFERENCES users (id),
    room INTEGER NOT NULL REFERENCES conversations (id),
    inviter INTEGER REFERENCES users (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user, room)
) STRICT, WITHOUT ROWID;
CREATE TABLE "rooms" (
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
INSERT INTO "rooms" VALUES(2,'tea',1,2,1735689600,'',0,0,0,NULL);
INSERT INTO "rooms" VALUES(3,'lobby',NULL,0,1795927878,'',0,0,0,NULL);
CREATE TABLE server_settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "server_settings" VALUES('message_of_the_day','welcome');
CREATE TABLE slow_mode (
    room INTEGER NOT NULL REFERENCES conversations (id),
    user INTEGER NOT NULL REFERENCES users (id),
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE unkept_messages (
    sender INTEGER NOT NULL REFERENCES users (id),
    txn_id TEXT NOT NULL,
    id INTEGER NOT NULL, -- of the message
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    send_time INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32), -- HMAC-SHA256 of the content
    PRIMARY KEY (sender, txn_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE "users" (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL, -- a PHC string, never a password
    created_at INTEGER NOT NULL
, administrator INTEGER NOT NULL DEFAULT 0 CHECK (administrator IN (0, 1)), must_change_password INTEGER NOT NULL DEFAULT 0
    CHECK (must_change_password IN (0, 1)), away TEXT, last_seen INTEGER, hides_last_seen INTEGER NOT NULL DEFAULT 0 CHECK (hides_last_seen IN (0, 1)), suspended_at INTEGER, suspended_until INTEGER, suspended_reason TEXT, deleted_at INTEGER, erased INTEGER NOT NULL DEFAULT 0 CHECK (erased IN (0, 1))) STRICT;
INSERT INTO "users" VALUES(1,'ann','$argon2id$v=19$m=19456,t=2,p=1$Oc9CBV0QHWHSD+w7vVtdaw$73UFOex27P6gfBbFxl/8mcYG2XeV9ULVPL57ZgGFHaE',1735689600,0,0,NULL,NULL,0,NULL,NULL,NULL,NULL,0);
INSERT INTO "users" VALUES(2,'bob','$argon2id$v=19$m=19456,t=2,p=1$gq0RlLd4639eG+fFSDTN4g$DsZ0P647EoUoDVBHKFPm7PJj5aJ35SIxbQgkeqcgTbg',1735689600,0,0,NULL,NULL,0,NULL,NULL,NULL,NULL,0);
INSERT INTO "users" VALUES(3,'cyn','$argon2id$v=19$m=19456,t=2,p=1$xjTrvB9LOJo/C3/AlkyLyQ$+DCG4tdgtxES7mGimdXHYUuf6kPRov8yk5Irqi2PTNg',1735689600,0,0,NULL,NULL,0,NULL,NULL,NULL,NULL,0);
CREATE VIRTUAL TABLE search USING fts5 (
    words, content = '', columnsize = 0, tokenize = "ascii tokenchars '!#+@$_'"
);
INSERT INTO search (search, rank) VALUES ('automerge', 0);
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
INSERT INTO search (rowid, words) VALUES (1, '000001hello');
INSERT INTO search (rowid, words) VALUES (2, '000001你好 000001好');
INSERT INTO search (rowid, words) VALUES (3, '000002between 000002us');
INSERT INTO search (rowid, words) VALUES (4, '000001without 000001a 000001txn 000001id 000001!txn_id');
CREATE TABLE search_blocks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    messages INTEGER NOT NULL CHECK (messages > 0), -- that have words in the index
    oldest_at INTEGER NOT NULL, -- the lowest and the highest time of sending
    newest_at INTEGER NOT NULL, in_order INTEGER NOT NULL DEFAULT 0 CHECK (in_order IN (0, 1)),
    CHECK (first_id <= last_id)
) STRICT;
INSERT INTO "search_blocks" VALUES(1,2,1,4,3,1735689600,1735689600,1);
INSERT INTO "search_blocks" VALUES(2,1,3,3,1,1735689600,1735689600,1);
CREATE TABLE search_progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    above INTEGER NOT NULL,
    upto INTEGER NOT NULL,
    unmerged INTEGER NOT NULL DEFAULT 0 CHECK (unmerged IN (0, 1)), -- 1 if segments may be left to merge
    CHECK (above <= upto)
) STRICT;
INSERT INTO "search_progress" VALUES(1,0,4,0);
CREATE TABLE search_stale (
    id INTEGER PRIMARY KEY,
    block INTEGER NOT NULL,
    content TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0 -- so many of its words, in their order, are removed
) STRICT;
CREATE TABLE removed_reactions (
    message INTEGER PRIMARY KEY -- which may be gone
) STRICT;
CREATE INDEX logins_by_time ON logins (at);
CREATE INDEX friendships_by_high_user ON friendships (high_user);
CREATE UNIQUE INDEX messages_by_txn_id ON messages (sender, txn_id) WHERE txn_id IS NOT NULL;
CREATE INDEX friend_requests_pending ON friend_requests (receiver, id) WHERE declined_at IS NULL;
CREATE INDEX friend_requests_declined ON friend_requests (declined_at)
    WHERE declined_at IS NOT NULL AND asked_again = 0;
CREATE INDEX resume_secrets_by_time ON resume_secrets (issued_at);
CREATE TRIGGER messages_keep_ids AFTER DELETE ON messages
WHEN old.id > coalesce((SELECT max(id) FROM messages), 0)
BEGIN
    INSERT INTO message_ids (id, assigned) VALUES (1, old.id)
        ON CONFLICT (id) DO UPDATE SET assigned = max(assigned, excluded.assigned);
END;
CREATE INDEX devices_by_time ON devices (used_at);
CREATE INDEX bots_by_owner ON bots (owner);
CREATE INDEX blocks_by_blocked ON blocks (blocked);
CREATE INDEX rooms_by_owner ON rooms (owner);
CREATE INDEX rooms_public ON rooms (name) WHERE private = 0;
CREATE INDEX room_invitations_by_room ON room_invitations (room);
CREATE INDEX bans_by_user ON bans (user);
CREATE UNIQUE INDEX mentions_by_user ON mentions (user, conversation, message, sender);
CREATE INDEX users_being_erased ON users (erased) WHERE erased = 1;
CREATE INDEX participants_by_start ON participants (conversation, after_id, user);
CREATE INDEX rooms_by_retention ON rooms (id) WHERE keep_days IS NOT NULL;
CREATE INDEX users_erased ON users (id) WHERE erased = 1;
CREATE INDEX friendships_ended ON friendships (conversation) WHERE ended_at IS NOT NULL;
CREATE INDEX participants_by_conversation
    ON participants (conversation, operator DESC, joined_at, join_order, user);
CREATE INDEX room_invitations_by_inviter ON room_invitations (inviter, user);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX invitation_codes_by_maker ON invitation_codes (maker);
CREATE UNIQUE INDEX search_blocks_by_conversation ON search_blocks (conversation, first_id);
CREATE INDEX unkept_messages_by_time ON unkept_messages (send_time);
CREATE INDEX messages_by_conversation ON messages (conversation, id, sender, send_time, deleted_at, run_above);
CREATE INDEX users_administrators ON users (name) WHERE administrator = 1;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('friend_requests',2);
INSERT INTO "sqlite_sequence" VALUES('conversations',3);
INSERT INTO "sqlite_sequence" VALUES('users',3);
INSERT INTO "sqlite_sequence" VALUES('search_blocks',2);
COMMIT;
