-- The index of the words of messages. It has no texts: a row is the words that echat makes of one (search_words.rs), each
-- behind the number of its block. What is deleted from it is overwritten.
CREATE VIRTUAL TABLE search USING fts5 (
    words, content = '', columnsize = 0, tokenize = "ascii tokenchars '!#+@$_'"
);
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
-- The server merges the segments of the index itself, a few pages at a time: FTS5 would do hundreds in one statement.
INSERT INTO search (search, rank) VALUES ('automerge', 0);

-- Messages of one conversation that are indexed together, in the order of their ids. The numbers are not given out again:
-- words of a block that is gone may still be in the index.
CREATE TABLE search_blocks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    messages INTEGER NOT NULL CHECK (messages > 0), -- that have words in the index
    oldest_at INTEGER NOT NULL, -- the lowest and the highest time of sending
    newest_at INTEGER NOT NULL,
    CHECK (first_id <= last_id)
) STRICT;
CREATE UNIQUE INDEX search_blocks_by_conversation ON search_blocks (conversation, first_id);

-- What is indexed: the messages with an id above `above` and up to `upto`. Newer messages follow in portions, and those of a
-- database from before this version from the newest to the oldest.
CREATE TABLE search_progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    above INTEGER NOT NULL,
    upto INTEGER NOT NULL,
    unmerged INTEGER NOT NULL DEFAULT 0 CHECK (unmerged IN (0, 1)), -- 1 if segments may be left to merge
    CHECK (above <= upto)
) STRICT;
INSERT INTO search_progress (id, above, upto)
    SELECT 1, newest, newest FROM (SELECT max(id) AS newest FROM messages) WHERE newest > 0;

-- Messages that were edited or deleted, with the text of which the index still has words. A portion later these words are
-- gone, and so is the row.
CREATE TABLE search_stale (
    id INTEGER PRIMARY KEY,
    block INTEGER NOT NULL,
    content TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0 -- so many of its words, in their order, are removed
) STRICT;
