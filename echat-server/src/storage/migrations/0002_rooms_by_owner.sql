-- How many rooms a user owns is asked whenever one is made.
CREATE INDEX rooms_by_owner ON rooms (owner);
