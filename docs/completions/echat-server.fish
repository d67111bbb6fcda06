complete -c echat-server -l config -d 'Read this configuration instead of ./config.json' -r -F
complete -c echat-server -l listen -d 'Listen here instead of server.listen, for example [::]:1024; may be given up to 16 times' -r
complete -c echat-server -l data -d 'Keep everything in this folder instead of server.data' -r -F
complete -c echat-server -l log -d 'Log this instead of server.log: a level, or module=level,...' -r
complete -c echat-server -l init -d 'Make what is missing in a data folder that was used before, then serve'
complete -c echat-server -l check-config -d 'Check the configuration, say so in one line, and end'
complete -c echat-server -l print-default-config -d 'Print config.json with every default, and end'
complete -c echat-server -s h -l help -d 'Print help (see more with \'--help\')'
complete -c echat-server -s V -l version -d 'Print version'
