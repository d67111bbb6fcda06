# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_echat_nc_global_optspecs
    string join \n fingerprint= accept-new forget-host= user= password-env= password-file= f/script= n/count= t/timeout= until= l/listen after= history= connect-timeout= no-handshake v/verbose show-secrets h/help V/version
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

complete -c echat-nc -n "__fish_echat_nc_needs_command" -l fingerprint -d 'Trust the server if its key is this one, and only then' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l forget-host -d 'Forget the key of a server' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l user -d 'Log in first; asks for the password on the terminal unless told where it is' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l password-env -d 'The environment variable that holds the password' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l password-file -d 'The file that holds the password (one line)' -r -F
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s f -l script -d 'Run the statements of a file instead of those of standard input' -r -F
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s n -l count -d 'Stop after N messages (the answers to --user do not count)' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s t -l timeout -d 'Stop after so many seconds; connecting and asking for a password do not count' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l until -d 'Stop after the first message of this name (the answers to --user do not count)' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l after -d 'The highest message id seen before; a line says so if the server\'s ids end below it' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l history -d '"history" of the last LOGIN_BUNDLE; a line says so if the server has another' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l connect-timeout -d 'Limit on connecting and the handshake together' -r
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l accept-new -d 'Trust and remember an unknown server; never replaces a key'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s l -l listen -d 'Stay after the end of input, until -n, -t, --until or the server ends it'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l no-handshake -d 'Only connect, for .raw; what comes is shown as {"$bytes": HEX}'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s v -l verbose -d 'Show the fields of messages on standard error; twice: sealed and plain bytes too'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -l show-secrets -d 'Do not blot out passwords in what -v shows'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -s V -l version -d 'Print version'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -a "commands" -d 'List every command: number, name, who sends it'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -a "describe" -d 'Explain a command: its parameters, its answer and its refusal'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -a "encode" -d 'Print the plain bytes of a message in hex; without NAME, of every line of standard input'
complete -c echat-nc -n "__fish_echat_nc_needs_command" -a "decode" -d 'Print the messages that plain bytes hold; without HEX, those of every line of standard input'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand commands" -s h -l help -d 'Print help'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand describe" -s h -l help -d 'Print help'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand encode" -s h -l help -d 'Print help'
complete -c echat-nc -n "__fish_echat_nc_using_subcommand decode" -s h -l help -d 'Print help'
