-- The newest former names of a room are kept: `number` grows with each change of the name. A closed room needs none, since
-- every name of a room will do for a message that is sent again to it.
ALTER TABLE former_room_names ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
DELETE FROM former_room_names WHERE room NOT IN (SELECT id FROM rooms);

-- In which order the others came is not known.
DELETE FROM former_room_names WHERE (room, name) IN
    (SELECT room, name FROM
        (SELECT room, name, row_number() OVER (PARTITION BY room ORDER BY name) AS place FROM former_room_names)
     WHERE place > 100);

-- It said whether the names of a closed room are still needed.
DROP INDEX unkept_messages_by_conversation;
