#!/bin/sh
# Sends what a command prints to a room, as one message with a code block:
#   make 2>&1 | examples/notify.sh echat://HOST:1024/#KEY BOT TOKEN_FILE ROOM "make is done"
# What is longer than a message can be (ECHAT_BYTES, 4000 by default) loses its beginning, with a note.
set -eu
address=$1 bot=$2 token=$3 room=$4 title=${5:-}
export title room
params=$(python3 -c '
import json, os, sys
limit = int(os.environ.get("ECHAT_BYTES", "4000"))
text = sys.stdin.buffer.read().decode(errors="replace").replace("\r\n", "\n").rstrip("\n")
# Messages have no control characters but newline and tab.
text = "".join(c if c in "\n\t" or c.isprintable() else "?" for c in text).replace("```", "~~~")
title = os.environ["title"][:200]
room_left = limit - len("%s\n(cut: the last of 0000000000 bytes)\n```\n\n```" % title) - 4 * len(title)
data, note = text.encode(), ""
if len(data) > room_left:
    note = "(cut: the last of %d bytes)\n" % len(data)
    data = data[-room_left:]
body = data.decode(errors="ignore")
content = "%s\n%s```\n%s\n```" % (title, note, body)
print(json.dumps({"target_type": 1, "target": os.environ["room"], "content": content.lstrip("\n")}))
')
exec "${ECHAT_NC:-echat-nc}" --user "$bot" --token-file "$token" "$address" SEND_MESSAGE "$params" >/dev/null
