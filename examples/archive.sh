#!/bin/sh
# Appends every message that a bot can read to a file, each exactly once, and goes on where it ended:
#   examples/archive.sh echat://HOST:1024/#KEY BOT TOKEN_FILE ARCHIVE [OPTIONS]
# With the option --once it ends when the archive is complete, for cron.
set -eu
address=$1 bot=$2 token=$3 archive=$4
shift 4
umask 077
exec "${ECHAT_NC:-echat-nc}" follow --user "$bot" --token-file "$token" \
    --cursor "$archive.cursor" "$@" "$address" >>"$archive"
