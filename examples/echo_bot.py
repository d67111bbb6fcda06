#!/usr/bin/env python3
"""Answers every message that begins with "echo " in the rooms of a bot.

  examples/echo_bot.py echat://HOST:1024/#KEY BOT TOKEN_FILE CURSOR_FILE
"""
import json, os, subprocess, sys

address, bot, token, cursor = sys.argv[1:5]
nc = os.environ.get("ECHAT_NC", "echat-nc")
# One session reads and sends: a second login would end the first one.
follow = [nc, "follow", "--send", "--user", bot, "--token-file", token,
          "--cursor", cursor, "--from", "new", address]

with subprocess.Popen(follow, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                      encoding="utf-8") as follower:
    for line in follower.stdout:
        message = json.loads(line)
        content = message.get("content", "")
        # Own messages are skipped, and those of other bots: two echo bots would never stop.
        if message.get("sender") == bot or message.get("bot") or not content.startswith("echo "):
            continue
        # The txn_id names the answered message: an answer that is sent again is stored once.
        answer = {"target_type": message["target_type"], "target": message["target"],
                  "content": content[5:], "txn_id": "echo-%d" % message["id"]}
        print("SEND_MESSAGE", json.dumps(answer), file=follower.stdin, flush=True)
sys.exit(follower.returncode)
