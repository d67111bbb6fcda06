# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_echat_load_global_optspecs
    string join \n server= h/help V/version
end

function __fish_echat_load_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_echat_load_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_echat_load_using_subcommand
    set -l cmd (__fish_echat_load_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c echat-load -n "__fish_echat_load_needs_command" -l server -d 'The server\'s program; unless given, the one that lies beside this one' -r -F
complete -c echat-load -n "__fish_echat_load_needs_command" -s h -l help -d 'Print help'
complete -c echat-load -n "__fish_echat_load_needs_command" -s V -l version -d 'Print version'
complete -c echat-load -n "__fish_echat_load_needs_command" -f -a "report" -d 'All of it, as a table in Markdown'
complete -c echat-load -n "__fish_echat_load_needs_command" -f -a "peers" -d 'Measures echat beside redis, inspircd and ngircd, as far as they are installed, and writes docs/performance.md. Needs the feature `peers` and Linux'
complete -c echat-load -n "__fish_echat_load_needs_command" -f -a "handshakes" -d 'Handshakes a second'
complete -c echat-load -n "__fish_echat_load_needs_command" -f -a "logins" -d 'Logins a second'
complete -c echat-load -n "__fish_echat_load_needs_command" -f -a "comeback" -d 'All clients come back after a restart, and what that costs'
complete -c echat-load -n "__fish_echat_load_needs_command" -f -a "room" -d 'Messages in a room, and what each delivery costs the server'
complete -c echat-load -n "__fish_echat_load_needs_command" -f -a "senders" -d 'Acknowledged messages a second of senders who are alone in their rooms'
complete -c echat-load -n "__fish_echat_load_needs_command" -f -a "idle" -d 'Memory of idle connections, and how often they wake the server'
complete -c echat-load -n "__fish_echat_load_needs_command" -f -a "stored" -d 'Login and pages of history when much is stored'
complete -c echat-load -n "__fish_echat_load_needs_command" -f -a "backup" -d 'What a backup costs a room that talks, and how long it takes'
complete -c echat-load -n "__fish_echat_load_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c echat-load -n "__fish_echat_load_using_subcommand report" -l server -d 'The server\'s program; unless given, the one that lies beside this one' -r -F
complete -c echat-load -n "__fish_echat_load_using_subcommand report" -l quick -d 'With small numbers, to see that it works'
complete -c echat-load -n "__fish_echat_load_using_subcommand report" -l scale -d 'The limits of one node instead: many senders, large rooms, 20,000 connections, 10,000,000 messages; about an hour'
complete -c echat-load -n "__fish_echat_load_using_subcommand report" -s h -l help -d 'Print help'
complete -c echat-load -n "__fish_echat_load_using_subcommand peers" -l rounds -d 'Rounds; in each, every server is started and measured in turn, and the median of the rounds counts' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand peers" -l rooms -d 'Members of the rooms, separated by commas' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand peers" -l windows -d 'Messages under way at a time, separated by commas' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand peers" -l idle -d 'Idle connections of each server; 0 leaves them out' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand peers" -l idle-seconds -d 'For how many seconds they are idle' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand peers" -l only -d 'Only these servers, by the beginnings of their names, separated by commas' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand peers" -l docs -d 'The folder of performance.md and performance.zh-CN.md, whose figures are replaced; `docs` unless given' -r -F
complete -c echat-load -n "__fish_echat_load_using_subcommand peers" -l server -d 'The server\'s program; unless given, the one that lies beside this one' -r -F
complete -c echat-load -n "__fish_echat_load_using_subcommand peers" -l quick -d 'One round with small numbers, to see that it works; the page is not written unless --docs says where'
complete -c echat-load -n "__fish_echat_load_using_subcommand peers" -s h -l help -d 'Print help'
complete -c echat-load -n "__fish_echat_load_using_subcommand handshakes" -l count -d 'How many' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand handshakes" -l server -d 'The server\'s program; unless given, the one that lies beside this one' -r -F
complete -c echat-load -n "__fish_echat_load_using_subcommand handshakes" -s h -l help -d 'Print help'
complete -c echat-load -n "__fish_echat_load_using_subcommand logins" -l users -d 'How many users log in, each on a connection of its own' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand logins" -l times -d 'How often each of them logs in and out again' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand logins" -l server -d 'The server\'s program; unless given, the one that lies beside this one' -r -F
complete -c echat-load -n "__fish_echat_load_using_subcommand logins" -s h -l help -d 'Print help'
complete -c echat-load -n "__fish_echat_load_using_subcommand comeback" -l users -d 'How many users' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand comeback" -l at-once -d 'How many of them connect at a time' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand comeback" -l server -d 'The server\'s program; unless given, the one that lies beside this one' -r -F
complete -c echat-load -n "__fish_echat_load_using_subcommand comeback" -l passwords -d 'They log in with passwords'
complete -c echat-load -n "__fish_echat_load_using_subcommand comeback" -l limited -d 'The limits for connections that are not logged in are the default ones: clients that the server closes try again'
complete -c echat-load -n "__fish_echat_load_using_subcommand comeback" -s h -l help -d 'Print help'
complete -c echat-load -n "__fish_echat_load_using_subcommand room" -l members -d 'Members of the room; each is a connection that is logged in' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand room" -l senders -d 'How many members send' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand room" -l messages -d 'Messages in all' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand room" -l window -d 'Messages that one sender has under way at a time' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand room" -l server -d 'The server\'s program; unless given, the one that lies beside this one' -r -F
complete -c echat-load -n "__fish_echat_load_using_subcommand room" -s h -l help -d 'Print help'
complete -c echat-load -n "__fish_echat_load_using_subcommand senders" -l count -d 'How many send, each in a room of its own' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand senders" -l messages -d 'Messages in all' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand senders" -l window -d 'Messages that one sender has under way at a time' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand senders" -l server -d 'The server\'s program; unless given, the one that lies beside this one' -r -F
complete -c echat-load -n "__fish_echat_load_using_subcommand senders" -s h -l help -d 'Print help'
complete -c echat-load -n "__fish_echat_load_using_subcommand idle" -l connections -d 'How many' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand idle" -l seconds -d 'For how many seconds wake-ups are counted' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand idle" -l server -d 'The server\'s program; unless given, the one that lies beside this one' -r -F
complete -c echat-load -n "__fish_echat_load_using_subcommand idle" -l users -d 'Log a user in on each connection. Connections without a login are closed after a minute, so their wake-ups are not counted'
complete -c echat-load -n "__fish_echat_load_using_subcommand idle" -s h -l help -d 'Print help'
complete -c echat-load -n "__fish_echat_load_using_subcommand stored" -l messages -d 'Messages in the one room of a user who has read none of them' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand stored" -l times -d 'How often each thing is measured; the median counts' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand stored" -l server -d 'The server\'s program; unless given, the one that lies beside this one' -r -F
complete -c echat-load -n "__fish_echat_load_using_subcommand stored" -s h -l help -d 'Print help'
complete -c echat-load -n "__fish_echat_load_using_subcommand backup" -l megabytes -d 'Megabytes of the database before it is measured' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand backup" -l members -d 'Members of the room; they send in turn' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand backup" -l rate -d 'Messages a second of all of them together' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand backup" -l seconds -d 'Seconds that are measured without backups, and as many beside them' -r
complete -c echat-load -n "__fish_echat_load_using_subcommand backup" -l server -d 'The server\'s program; unless given, the one that lies beside this one' -r -F
complete -c echat-load -n "__fish_echat_load_using_subcommand backup" -s h -l help -d 'Print help'
complete -c echat-load -n "__fish_echat_load_using_subcommand help; and not __fish_seen_subcommand_from report peers handshakes logins comeback room senders idle stored backup help" -f -a "report" -d 'All of it, as a table in Markdown'
complete -c echat-load -n "__fish_echat_load_using_subcommand help; and not __fish_seen_subcommand_from report peers handshakes logins comeback room senders idle stored backup help" -f -a "peers" -d 'Measures echat beside redis, inspircd and ngircd, as far as they are installed, and writes docs/performance.md. Needs the feature `peers` and Linux'
complete -c echat-load -n "__fish_echat_load_using_subcommand help; and not __fish_seen_subcommand_from report peers handshakes logins comeback room senders idle stored backup help" -f -a "handshakes" -d 'Handshakes a second'
complete -c echat-load -n "__fish_echat_load_using_subcommand help; and not __fish_seen_subcommand_from report peers handshakes logins comeback room senders idle stored backup help" -f -a "logins" -d 'Logins a second'
complete -c echat-load -n "__fish_echat_load_using_subcommand help; and not __fish_seen_subcommand_from report peers handshakes logins comeback room senders idle stored backup help" -f -a "comeback" -d 'All clients come back after a restart, and what that costs'
complete -c echat-load -n "__fish_echat_load_using_subcommand help; and not __fish_seen_subcommand_from report peers handshakes logins comeback room senders idle stored backup help" -f -a "room" -d 'Messages in a room, and what each delivery costs the server'
complete -c echat-load -n "__fish_echat_load_using_subcommand help; and not __fish_seen_subcommand_from report peers handshakes logins comeback room senders idle stored backup help" -f -a "senders" -d 'Acknowledged messages a second of senders who are alone in their rooms'
complete -c echat-load -n "__fish_echat_load_using_subcommand help; and not __fish_seen_subcommand_from report peers handshakes logins comeback room senders idle stored backup help" -f -a "idle" -d 'Memory of idle connections, and how often they wake the server'
complete -c echat-load -n "__fish_echat_load_using_subcommand help; and not __fish_seen_subcommand_from report peers handshakes logins comeback room senders idle stored backup help" -f -a "stored" -d 'Login and pages of history when much is stored'
complete -c echat-load -n "__fish_echat_load_using_subcommand help; and not __fish_seen_subcommand_from report peers handshakes logins comeback room senders idle stored backup help" -f -a "backup" -d 'What a backup costs a room that talks, and how long it takes'
complete -c echat-load -n "__fish_echat_load_using_subcommand help; and not __fish_seen_subcommand_from report peers handshakes logins comeback room senders idle stored backup help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
