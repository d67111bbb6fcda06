#!/usr/bin/env python3
"""Receives webhooks: the text of each POST becomes a message in a room.

  examples/webhook.py echat://HOST:1024/#KEY BOT TOKEN_FILE ROOM [PORT]
  curl --data 'build 12 failed' http://127.0.0.1:8080/
It listens on this machine only; put a web server with TLS and a password before it.
"""
import http.server, json, os, subprocess, sys

address, bot, token, room = sys.argv[1:5]
port = int(sys.argv[5]) if len(sys.argv) > 5 else 8080
nc = os.environ.get("ECHAT_NC", "echat-nc")


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if not 0 < length <= 4000:
            return self.send_error(413 if length else 400)
        text = self.rfile.read(length).decode(errors="replace")
        text = "".join(c if c in "\n\t" or c.isprintable() else "?" for c in text)
        params = json.dumps({"target_type": 1, "target": room, "content": text})
        sent = subprocess.run([nc, "--user", bot, "--token-file", token, address,
                               "SEND_MESSAGE", params], stdout=subprocess.DEVNULL)
        # The sender tries again later, unless the server refused the message.
        self.send_response({0: 204, 1: 422}.get(sent.returncode, 503))
        self.end_headers()


server = http.server.HTTPServer(("127.0.0.1", port), Webhook)
print("http://127.0.0.1:%d/" % server.server_port, flush=True)
server.serve_forever()
