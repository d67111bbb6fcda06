-- Message ids without AUTOINCREMENT, which rewrites a row of sqlite_sequence, and so a page, with every
-- message. The next id is one above the highest of the messages and of `assigned`.
CREATE TABLE message_ids (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    assigned INTEGER NOT NULL -- ids up to this one were assigned, or are skipped
) STRICT;
INSERT INTO message_ids (id, assigned) SELECT 1, seq FROM sqlite_sequence WHERE name = 'messages';
DELETE FROM sqlite_sequence WHERE name = 'messages';

-- The definition of the table changes; its rows and indexes stay as they are. Making the table anew would
-- take minutes with ten million messages.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'INTEGER PRIMARY KEY AUTOINCREMENT', 'INTEGER PRIMARY KEY')
    WHERE type = 'table' AND name = 'messages';
PRAGMA writable_schema = RESET;

-- The id of a deleted message is not assigned again, whatever deletes it. Only the newest message needs this.
CREATE TRIGGER messages_keep_ids AFTER DELETE ON messages
WHEN old.id > coalesce((SELECT max(id) FROM messages), 0)
BEGIN
    INSERT INTO message_ids (id, assigned) VALUES (1, old.id)
        ON CONFLICT (id) DO UPDATE SET assigned = max(assigned, excluded.assigned);
END;
