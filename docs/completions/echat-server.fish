# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_echat_server_global_optspecs
    string join \n config= listen= data= log= init check-config print-default-config upgrade-check h/help V/version
end

function __fish_echat_server_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_echat_server_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_echat_server_using_subcommand
    set -l cmd (__fish_echat_server_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c echat-server -n "__fish_echat_server_needs_command" -l config -d 'Read this configuration instead of ./config.json' -r -F
complete -c echat-server -n "__fish_echat_server_needs_command" -l listen -d 'Listen here instead of server.listen, for example [::]:1024; may be given up to 16 times' -r
complete -c echat-server -n "__fish_echat_server_needs_command" -l data -d 'Keep everything in this folder instead of server.data' -r -F
complete -c echat-server -n "__fish_echat_server_needs_command" -l log -d 'Log this instead of server.log: a level, or module=level,...' -r
complete -c echat-server -n "__fish_echat_server_needs_command" -l init -d 'Make what is missing in a data folder that was used before, then serve'
complete -c echat-server -n "__fish_echat_server_needs_command" -l check-config -d 'Check the configuration, say so in one line, and end'
complete -c echat-server -n "__fish_echat_server_needs_command" -l print-default-config -d 'Print config.json with every default, and end'
complete -c echat-server -n "__fish_echat_server_needs_command" -l upgrade-check -d 'Say whether the next start upgrades the database and has room for the copy before it, and end'
complete -c echat-server -n "__fish_echat_server_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c echat-server -n "__fish_echat_server_needs_command" -s V -l version -d 'Print version'
complete -c echat-server -n "__fish_echat_server_needs_command" -f -a "backup" -d 'Write a backup of the data folder, also while a server uses it'
complete -c echat-server -n "__fish_echat_server_needs_command" -f -a "verify" -d 'Check that a backup is complete, unchanged and sound'
complete -c echat-server -n "__fish_echat_server_needs_command" -f -a "restore" -d 'Put a backup into a data folder, and keep what was there aside'
complete -c echat-server -n "__fish_echat_server_needs_command" -f -a "check" -d 'Check the database of a data folder, and repair it'
complete -c echat-server -n "__fish_echat_server_needs_command" -f -a "export" -d 'Write accounts, rooms and messages as lines of JSON, also while a server uses them'
complete -c echat-server -n "__fish_echat_server_needs_command" -f -a "ctl" -d 'Give a command to the server that uses the data folder; `help` lists the commands'
complete -c echat-server -n "__fish_echat_server_needs_command" -f -a "import" -d 'Read an export into a data folder without a database, or add a database of the original E-Chat to a data folder'
complete -c echat-server -n "__fish_echat_server_using_subcommand backup" -l keep -d 'Name the backup by the time, and remove all but the newest N of such names, 1 to 10000' -r
complete -c echat-server -n "__fish_echat_server_using_subcommand backup" -l config -d 'Read this configuration instead of ./config.json' -r -F
complete -c echat-server -n "__fish_echat_server_using_subcommand backup" -l data -d 'The data folder, instead of server.data' -r -F
complete -c echat-server -n "__fish_echat_server_using_subcommand backup" -l without-key -d 'Leave the host key out'
complete -c echat-server -n "__fish_echat_server_using_subcommand backup" -l without-config -d 'Leave the configuration out'
complete -c echat-server -n "__fish_echat_server_using_subcommand backup" -s h -l help -d 'Print help'
complete -c echat-server -n "__fish_echat_server_using_subcommand verify" -l json -d 'Print one line of JSON'
complete -c echat-server -n "__fish_echat_server_using_subcommand verify" -s h -l help -d 'Print help'
complete -c echat-server -n "__fish_echat_server_using_subcommand restore" -l data -d 'The data folder, which no server uses' -r -F
complete -c echat-server -n "__fish_echat_server_using_subcommand restore" -l database -d 'FILE is a database, as Litestream restores one, and not a backup'
complete -c echat-server -n "__fish_echat_server_using_subcommand restore" -s h -l help -d 'Print help'
complete -c echat-server -n "__fish_echat_server_using_subcommand check" -l config -d 'Read this configuration instead of ./config.json' -r -F
complete -c echat-server -n "__fish_echat_server_using_subcommand check" -l data -d 'The data folder, instead of server.data' -r -F
complete -c echat-server -n "__fish_echat_server_using_subcommand check" -l repair -d 'Repair what is found; no server may use the folder'
complete -c echat-server -n "__fish_echat_server_using_subcommand check" -l json -d 'Print one line of JSON'
complete -c echat-server -n "__fish_echat_server_using_subcommand check" -s h -l help -d 'Print help'
complete -c echat-server -n "__fish_echat_server_using_subcommand export" -l user -d 'What this user stored, and can see' -r
complete -c echat-server -n "__fish_echat_server_using_subcommand export" -l room -d 'This room with its members and messages' -r
complete -c echat-server -n "__fish_echat_server_using_subcommand export" -l config -d 'Read this configuration instead of ./config.json' -r -F
complete -c echat-server -n "__fish_echat_server_using_subcommand export" -l data -d 'The data folder, instead of server.data' -r -F
complete -c echat-server -n "__fish_echat_server_using_subcommand export" -l all -d 'Everything'
complete -c echat-server -n "__fish_echat_server_using_subcommand export" -l with-passwords -d 'With the hashes of passwords, so that users can log in after an import'
complete -c echat-server -n "__fish_echat_server_using_subcommand export" -s h -l help -d 'Print help'
complete -c echat-server -n "__fish_echat_server_using_subcommand ctl" -l timeout -d 'Give up when the server gives no sign of life for so many seconds, 2 to 3600' -r
complete -c echat-server -n "__fish_echat_server_using_subcommand ctl" -l config -d 'Read this configuration instead of ./config.json' -r -F
complete -c echat-server -n "__fish_echat_server_using_subcommand ctl" -l data -d 'The data folder, instead of server.data' -r -F
complete -c echat-server -n "__fish_echat_server_using_subcommand ctl" -l json -d 'Print the answer as one line of JSON'
complete -c echat-server -n "__fish_echat_server_using_subcommand ctl" -s h -l help -d 'Print help'
complete -c echat-server -n "__fish_echat_server_using_subcommand import" -l config -d 'Read this configuration instead of ./config.json' -r -F
complete -c echat-server -n "__fish_echat_server_using_subcommand import" -l data -d 'The data folder, instead of server.data' -r -F
complete -c echat-server -n "__fish_echat_server_using_subcommand import" -s h -l help -d 'Print help'
