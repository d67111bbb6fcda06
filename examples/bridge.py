#!/usr/bin/env python3
"""Joins two rooms: what is said in one is repeated in the other by a bot that is in both.

  examples/bridge.py echat://HOST:1024/#KEY BOT TOKEN_FILE CURSOR_FILE ROOM ROOM
"""
import json, os, subprocess, sys

address, bot, token, cursor, one, other = sys.argv[1:7]
nc = os.environ.get("ECHAT_NC", "echat-nc")
# One session reads and sends: a second login would end the first one.
follow = [nc, "follow", "--send", "--user", bot, "--token-file", token,
          "--cursor", cursor, "--from", "new", address]
across = {one: other, other: one}

with subprocess.Popen(follow, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                      encoding="utf-8") as follower:
    for line in follower.stdout:
        message = json.loads(line)
        room = across.get(message.get("target"))
        # What the bridge itself said does not go back, and bots are not joined: nothing goes round.
        if room is None or message["sender"] == bot or message.get("bot") or message.get("deleted"):
            continue
        said = "<%s> %s" % (message["sender"], message["content"])
        while len(said.encode()) > 4000:
            said = said[:-2] + "\u2026"
        # The txn_id names the message: one that is repeated after a restart is stored once.
        copy = {"target_type": 1, "target": room, "content": said, "txn_id": "bridge-%d" % message["id"]}
        print("SEND_MESSAGE", json.dumps(copy), file=follower.stdin, flush=True)
sys.exit(follower.returncode)
