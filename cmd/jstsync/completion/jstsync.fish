# Completion of jstsync for fish: jstsync completion fish | source

function __jstsync_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -g __jstsync_found ($words[1] __complete $words[2..-1] "$last" 2>/dev/null)
    test -n "$__jstsync_found"
end

complete -c jstsync -n __jstsync_complete -f -k -a '$__jstsync_found'
