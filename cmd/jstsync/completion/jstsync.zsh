#compdef jstsync
# Completion of jstsync for zsh: source <(jstsync completion zsh), after compinit; or as _jstsync in a directory of fpath

_jstsync() {
    local line
    local -a found
    for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    if (( $#found )); then
        _describe jstsync found
    else
        _files
    fi
}

if [[ $funcstack[1] == _jstsync ]]; then
    _jstsync "$@"
else
    compdef _jstsync jstsync
fi
