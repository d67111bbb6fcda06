-- The administrators, by name: a few among all users, whom the status names.
CREATE INDEX users_administrators ON users (name) WHERE administrator = 1;
