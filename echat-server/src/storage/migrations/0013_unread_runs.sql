-- Unread counts. Messages that do not count are skipped: a run of messages of one sender is left by its newest one. What
-- the counts read is in the index.

-- All messages of the conversation from this one back to the id, which is excluded, were of its sender or deleted when it
-- was sent. NULL where that is not known, or says nothing.
ALTER TABLE messages ADD COLUMN run_above INTEGER CHECK (run_above < id);

DROP INDEX tombstones;
DROP INDEX messages_by_conversation;

UPDATE messages SET run_above = r.above FROM (
    SELECT id, CASE WHEN sender IS before THEN coalesce(max(CASE WHEN sender IS NOT before THEN before_id END)
        OVER (PARTITION BY conversation ORDER BY id), 0) END AS above
    FROM (SELECT id, conversation, sender, lag(sender) OVER earlier AS before, lag(id) OVER earlier AS before_id
        FROM messages WHERE deleted_at IS NULL WINDOW earlier AS (PARTITION BY conversation ORDER BY id))) AS r
WHERE messages.id = r.id AND r.above IS NOT NULL;

CREATE INDEX messages_by_conversation ON messages (conversation, id, sender, send_time, deleted_at, run_above);
