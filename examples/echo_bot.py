#!/usr/bin/env python3
"""Answers every message that begins with "echo " in the rooms of a bot.

  examples/echo_bot.py echat://HOST:1024/#KEY BOT TOKEN_FILE CURSOR_FILE
"""
import json, os, subprocess, sys

address, bot, token, cursor = sys.argv[1:5]
nc = os.environ.get("ECHAT_NC", "echat-nc")
login = ["--user", bot, "--token-file", token]
follow = [nc, "follow", *login, "--cursor", cursor, "--from", "new", address]

with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True, encoding="utf-8") as follower:
    for line in follower.stdout:
        message = json.loads(line)
        content = message.get("content", "")
        # Own messages are skipped, and those of other bots: two echo bots would never stop.
        if message.get("sender") == bot or message.get("bot") or not content.startswith("echo "):
            continue
        # The txn_id names the answered message: an answer that is sent again is stored once.
        answer = {"target_type": message["target_type"], "target": message["target"],
                  "content": content[5:], "txn_id": "echo-%d" % message["id"]}
        sent = [nc, *login, address, "SEND_MESSAGE", json.dumps(answer)]
        if subprocess.run(sent, stdout=subprocess.DEVNULL).returncode not in (0, 1):
            print("not answered: %s" % line, end="", file=sys.stderr)
sys.exit(follower.returncode)
