# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_echat_nc_global_optspecs
    string join \n fingerprint= accept-new user= password-env= password-file= token-file= connect-timeout= v/verbose show-secrets forget-host= f/script= n/count= t/timeout= until= l/listen after= history= no-handshake h/help V/version
end

function __fish_echat_nc_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_echat_nc_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_echat_nc_using_subcommand
    set -l cmd (__fish_echat_nc_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c echat-nc -n "__fish_echat_nc_needs_command" -l fingerprint -d 'Trust the server only if it has this key' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l user -d 'Log in first; asks for the password on the terminal unless an option provides it' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l password-env -d 'Environment variable that contains the password' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l password-file -d 'File that contains the password (one line), which only its owner can read (chmod 600)' -r -F
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l token-file -d 'File that contains the token of a bot (one line), which only its owner can read (chmod 600)' -r -F
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l connect-timeout -d 'Time limit for connecting and the handshake together' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l forget-host -d 'Forget the key of a server' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s f -l script -d 'Run the statements in a file instead of standard input' -r -F
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s n -l count -d 'Exit after N messages, not counting the replies to --user' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s t -l timeout -d 'Exit after this many seconds, not counting connecting and asking for a password' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l until -d 'Exit after the first message with this name, not counting the replies to --user' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l after -d 'Highest message id seen before; prints a line if the server\'s ids end below it' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l history -d '"history" of the last LOGIN_BUNDLE; prints a line if the server has another' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l accept-new -d 'Trust and remember an unknown server; never replaces a known key'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s v -l verbose -d 'Print the fields of messages to standard error, and all messages besides the reply to a command; twice: also the encrypted and plain bytes'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l show-secrets -d 'Do not hide passwords, tokens, and "resume" and "device" of LOGIN_BUNDLE, in the output and in that of -v'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s l -l listen -d 'Keep running after the end of input, until -n, -t, --until or the server ends the session'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l no-handshake -d 'Connect without a handshake, for .raw; received data is printed as {"$bytes": HEX}'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s V -l version -d 'Print version'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -a "follow" -d 'Print every message exactly once, across restarts and lost connections'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -a "commands" -d 'List every command: number, name, sender'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -a "describe" -d 'Describe a command: parameters, reply and refusal'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -a "encode" -d 'Print the plain bytes of a message in hex; without NAME, of each line of standard input'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -a "decode" -d 'Print the messages in plain bytes; without HEX, of each line of standard input'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l fingerprint -d 'Trust the server only if it has this key' -r
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l user -d 'Log in first; asks for the password on the terminal unless an option provides it' -r
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l password-env -d 'Environment variable that contains the password' -r
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l password-file -d 'File that contains the password (one line), which only its owner can read (chmod 600)' -r -F
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l token-file -d 'File that contains the token of a bot (one line), which only its owner can read (chmod 600)' -r -F
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l connect-timeout -d 'Time limit for connecting and the handshake together' -r
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l room -d 'Print only the messages of this room' -r
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l cursor -d 'File that remembers the last message; without it, only new messages are printed' -r -F
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l from -d 'Where to begin if the cursor file is not there: all, new, or the messages after an id; default: all with --cursor, else new' -r
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l accept-new -d 'Trust and remember an unknown server; never replaces a known key'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -s v -l verbose -d 'Print the fields of messages to standard error, and all messages besides the reply to a command; twice: also the encrypted and plain bytes'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l show-secrets -d 'Do not hide passwords, tokens, and "resume" and "device" of LOGIN_BUNDLE, in the output and in that of -v'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l once -d 'Exit when all messages up to now are printed'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -l send -d 'Send the requests that are the lines of standard input, over the same connection'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand follow" -s h -l help -d 'Print help'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand commands" -s h -l help -d 'Print help'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand describe" -s h -l help -d 'Print help'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand encode" -s h -l help -d 'Print help'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand decode" -s h -l help -d 'Print help'
