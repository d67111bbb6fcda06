-- A database that the original E-Chat wrote, as text.
BEGIN TRANSACTION;
CREATE TABLE chat_rooms (
	created_at DATETIME NOT NULL,
	room_name VARCHAR(20) NOT NULL,
	PRIMARY KEY (room_name)
);
INSERT INTO "chat_rooms" VALUES('2026-11-22 07:23:00','room1');
CREATE TABLE freinds (
	from_user VARCHAR(20) NOT NULL,
	to_user VARCHAR(20) NOT NULL,
	created_at DATETIME,
	accepted BOOLEAN,
	PRIMARY KEY (from_user, to_user)
);
INSERT INTO "freinds" VALUES('alice','bob','2026-11-22 07:22:57',1);
INSERT INTO "freinds" VALUES('carol','alice','2026-11-22 07:26:00',0);
CREATE TABLE messages (
	id INTEGER NOT NULL,
	send_time INTEGER NOT NULL,
	username VARCHAR(20),
	sender VARCHAR(20),
	target_type INTEGER NOT NULL,
	target VARCHAR(20) NOT NULL,
	content VARCHAR(200) NOT NULL,
	sent BOOLEAN,
	PRIMARY KEY (id),
	FOREIGN KEY(username) REFERENCES users (username),
	FOREIGN KEY(sender) REFERENCES users (username)
);
INSERT INTO "messages" VALUES(1,1795332181,'alice','alice',1,'room1','hello',1);
INSERT INTO "messages" VALUES(2,1795332181,'bob','alice',1,'room1','hello',1);
INSERT INTO "messages" VALUES(3,1795332183,'alice','alice',1,'room1','hi again 你好',1);
INSERT INTO "messages" VALUES(4,1795332183,'bob','alice',1,'room1','hi again 你好',1);
INSERT INTO "messages" VALUES(5,1795332188,'alice','alice',0,'bob','private hi',1);
INSERT INTO "messages" VALUES(6,1795332188,'bob','alice',0,'alice','private hi',1);
INSERT INTO "messages" VALUES(7,1795332279,'alice','alice',0,'bob','',1);
INSERT INTO "messages" VALUES(8,1795332279,'bob','alice',0,'alice','',1);
INSERT INTO "messages" VALUES(9,1795332300,'carol','carol',1,'room1','ghost of a former member',1);
CREATE TABLE room_users (
	room VARCHAR(20) NOT NULL,
	user VARCHAR(20) NOT NULL,
	PRIMARY KEY (room, user)
);
INSERT INTO "room_users" VALUES('room1','alice');
INSERT INTO "room_users" VALUES('room1','bob');
CREATE TABLE users (
	created_at DATETIME NOT NULL,
	username VARCHAR(20) NOT NULL,
	password VARCHAR(100) NOT NULL,
	PRIMARY KEY (username)
);
INSERT INTO "users" VALUES('2026-11-22 07:22:50','alice','pw1');
INSERT INTO "users" VALUES('2026-11-22 07:22:53','bob','pw2');
INSERT INTO "users" VALUES('2026-11-22 07:25:00','carol','pw3');
COMMIT;
