-- Removal in bounded steps.

-- A txn_id is known for 30 days, also after its message was removed: its digest is kept as that of a message that was never
-- kept. The notes are pruned by their time.
CREATE INDEX unkept_messages_by_time ON unkept_messages (send_time);

-- Deleted messages whose reactors are removed in portions: a message may have 200,000.
CREATE TABLE removed_reactions (
    message INTEGER PRIMARY KEY -- which may be gone
) STRICT;

-- 1 if the times of sending never fall from one id of the block to the next: a search for a time then looks up its ids.
ALTER TABLE search_blocks ADD COLUMN in_order INTEGER NOT NULL DEFAULT 0 CHECK (in_order IN (0, 1));
UPDATE search_blocks AS b SET in_order = NOT EXISTS (
    SELECT 1 FROM (
        SELECT m.send_time < lag(m.send_time) OVER (ORDER BY m.id) AS falls FROM messages AS m
        WHERE m.conversation = b.conversation AND m.id BETWEEN b.first_id AND b.last_id)
    WHERE falls);
