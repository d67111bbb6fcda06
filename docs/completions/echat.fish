complete -c echat -l user -d 'Log in as this user; asks for the password unless an option provides it' -r
complete -c echat -l password-env -d 'Environment variable that contains the password' -r
complete -c echat -l password-file -d 'File that contains the password (one line), which only its owner can read (chmod 600)' -r -F
complete -c echat -l password-command -d 'Shell command that prints the password (one line)' -r
complete -c echat -l token-file -d 'File that contains the token of a bot (one line), which only its owner can read (chmod 600)' -r -F
complete -c echat -l invitation -d 'Invitation code; unless there is a user to log in, echat begins by registering with it' -r
complete -c echat -l lang -d 'Language, en or zh; default: from the configuration, else from the locale' -r
complete -c echat -l config -d 'Configuration file to read, instead of the default ones' -r -F
complete -c echat -l timeout -d 'Exit after this many seconds; only without a terminal' -r
complete -c echat -l no-color -d 'Disable colours'
complete -c echat -l plain -d 'Never redraw the screen, for screen readers and old terminals'
complete -c echat -l utc -d 'Show times in UTC instead of local time'
complete -c echat -l compact -d 'Show messages as HH:MM name: text'
complete -c echat -s h -l help -d 'Print help'
complete -c echat -s V -l version -d 'Print version'
