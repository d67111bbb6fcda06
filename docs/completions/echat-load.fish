complete -c echat-load -l room -d 'Members of the room; each is a connection that is logged in' -r
complete -c echat-load -l senders -d 'How many members send' -r
complete -c echat-load -l messages -d 'Messages in all' -r
complete -c echat-load -l window -d 'Messages that one sender has under way at a time' -r
complete -c echat-load -l pid -d 'The server\'s process, whose CPU time and memory are read from /proc' -r
complete -c echat-load -s h -l help -d 'Print help'
complete -c echat-load -s V -l version -d 'Print version'
