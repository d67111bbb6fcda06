complete -c echat -l user -d 'Log in as this user; the password is asked for unless told where it is' -r
complete -c echat -l password-env -d 'The environment variable that holds the password' -r
complete -c echat -l password-file -d 'The file that holds the password (one line)' -r -F
complete -c echat -l password-command -d 'The shell command that says the password (one line)' -r
complete -c echat -l lang -d 'The language: en or zh; else the configuration\'s, else the locale\'s' -r
complete -c echat -l config -d 'Read the section "client" of this file and of no other' -r -F
complete -c echat -l timeout -d 'Give up after so many seconds; only where there is no terminal' -r
complete -c echat -l no-color -d 'No colours'
complete -c echat -l plain -d 'Never redraw: for screen readers and old terminals'
complete -c echat -l utc -d 'Times in UTC instead of local time'
complete -c echat -l compact -d 'Shorter lines: HH:MM name: text'
complete -c echat -s h -l help -d 'Print help'
complete -c echat -s V -l version -d 'Print version'
