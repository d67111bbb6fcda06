-- A database of schema version 2 as the server left it: ann, bob and cyn, whose password is that of
-- the tests; ann and bob are friends and share the room tea, cyn asks to be ann's friend.
PRAGMA foreign_keys = OFF;
PRAGMA application_id = 0x45434832;
PRAGMA user_version = 2;
BEGIN;
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL CHECK (kind IN (0, 1))
) STRICT;
INSERT INTO "conversations" VALUES(1,0);
INSERT INTO "conversations" VALUES(2,1);
CREATE TABLE friend_requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sender INTEGER NOT NULL REFERENCES users (id),
    receiver INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    UNIQUE (receiver, sender),
    CHECK (sender <> receiver)
) STRICT;
INSERT INTO "friend_requests" VALUES(2,3,1,1735689600);
CREATE TABLE friendships (
    low_user INTEGER NOT NULL REFERENCES users (id),
    high_user INTEGER NOT NULL REFERENCES users (id),
    conversation INTEGER NOT NULL UNIQUE REFERENCES conversations (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (low_user, high_user),
    CHECK (low_user < high_user)
) STRICT, WITHOUT ROWID;
INSERT INTO "friendships" VALUES(1,2,1,1735689600);
CREATE TABLE logins (
    user INTEGER NOT NULL REFERENCES users (id),
    address TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user, address)
) STRICT, WITHOUT ROWID;
INSERT INTO "logins" VALUES(1,'127.0.0.1',1735689600);
INSERT INTO "logins" VALUES(2,'127.0.0.1',1735689600);
INSERT INTO "logins" VALUES(3,'127.0.0.1',1735689600);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    sender INTEGER NOT NULL REFERENCES users (id),
    send_time INTEGER NOT NULL,
    content TEXT NOT NULL CHECK (content <> ''),
    txn_id TEXT
) STRICT;
INSERT INTO "messages" VALUES(1,2,1,1735689600,'hello','a1');
INSERT INTO "messages" VALUES(2,2,2,1735689600,'你好','b1');
INSERT INTO "messages" VALUES(3,1,2,1735689600,'between us','b2');
INSERT INTO "messages" VALUES(4,2,1,1735689600,'without a txn_id',NULL);
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
INSERT INTO "name_endings" VALUES(1,'ea',2);
INSERT INTO "name_endings" VALUES(1,'tea',2);
CREATE TABLE participants (
    user INTEGER NOT NULL REFERENCES users (id),
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    after_id INTEGER NOT NULL, -- sees messages with a greater id
    read_id INTEGER NOT NULL, -- has read messages up to this id
    joined_at INTEGER NOT NULL,
    PRIMARY KEY (user, conversation),
    CHECK (read_id >= after_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "participants" VALUES(1,1,0,0,1735689600);
INSERT INTO "participants" VALUES(1,2,0,2,1735689600);
INSERT INTO "participants" VALUES(2,1,0,0,1735689600);
INSERT INTO "participants" VALUES(2,2,0,0,1735689600);
CREATE TABLE rooms (
    id INTEGER PRIMARY KEY REFERENCES conversations (id),
    name TEXT NOT NULL UNIQUE,
    skeleton TEXT NOT NULL UNIQUE,
    owner INTEGER NOT NULL REFERENCES users (id),
    members INTEGER NOT NULL DEFAULT 0 CHECK (members >= 0), -- counted here: a room may have 10,000
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO "rooms" VALUES(2,'tea','tea',1,2,1735689600);
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    skeleton TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL, -- a PHC string, never a password
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO "users" VALUES(1,'ann','ann','$argon2id$v=19$m=19456,t=2,p=1$Oc9CBV0QHWHSD+w7vVtdaw$73UFOex27P6gfBbFxl/8mcYG2XeV9ULVPL57ZgGFHaE',1735689600);
INSERT INTO "users" VALUES(2,'bob','bob','$argon2id$v=19$m=19456,t=2,p=1$gq0RlLd4639eG+fFSDTN4g$DsZ0P647EoUoDVBHKFPm7PJj5aJ35SIxbQgkeqcgTbg',1735689600);
INSERT INTO "users" VALUES(3,'cyn','cyn','$argon2id$v=19$m=19456,t=2,p=1$xjTrvB9LOJo/C3/AlkyLyQ$+DCG4tdgtxES7mGimdXHYUuf6kPRov8yk5Irqi2PTNg',1735689600);
CREATE INDEX rooms_by_owner ON rooms (owner);
CREATE INDEX logins_by_time ON logins (at);
CREATE INDEX friendships_by_high_user ON friendships (high_user);
CREATE INDEX participants_by_conversation ON participants (conversation);
CREATE INDEX messages_by_conversation ON messages (conversation, id, sender);
CREATE UNIQUE INDEX messages_by_txn_id ON messages (sender, txn_id) WHERE txn_id IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('users',3);
INSERT INTO "sqlite_sequence" VALUES('friend_requests',2);
INSERT INTO "sqlite_sequence" VALUES('conversations',2);
INSERT INTO "sqlite_sequence" VALUES('messages',4);
COMMIT;
