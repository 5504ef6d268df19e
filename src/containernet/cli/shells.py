"""Completion scripts for bash, zsh and fish.

The rule of this file: a script carries the words typed so far to ``cnet __complete`` and shows what comes back. It
knows no verb and no option; the names it completes for are the command table's.
"""

from __future__ import annotations

from containernet.cli.table import CMDLETS

BASH = r"""# bash completion for cnet and its cmdlets; made by `cnet completion bash`
_cnet() {
    local line candidate current="${COMP_WORDS[COMP_CWORD]}"
    local words=() found=()
    # bash breaks words at ':' and '='; put them together again as the shell will
    local typed="${COMP_LINE:0:COMP_POINT}"
    read -r -a words <<<"$typed"
    [[ -z $typed || $typed == *[[:space:]] ]] && words+=("")
    local whole="${words[${#words[@]}-1]}"
    while IFS= read -r line; do
        candidate="${line%%$'\t'*}"
        case "$candidate" in
            :files) compopt -o default 2>/dev/null ;;
            :directories) compopt -o dirnames 2>/dev/null ;;
            *) found+=("${candidate#"${whole%"$current"}"}") ;;
        esac
    done < <(cnet __complete "${words[@]}" 2>/dev/null)
    COMPREPLY=("${found[@]}")
}
complete -F _cnet @NAMES@
"""

ZSH = r"""#compdef @NAMES@
# zsh completion for cnet and its cmdlets; made by `cnet completion zsh`
_cnet() {
    local line candidate about
    local -a found
    while IFS= read -r line; do
        candidate="${line%%$'\t'*}" about="${line#*$'\t'}"
        case "$candidate" in
            :files) _files ;;
            :directories) _files -/ ;;
            *) found+=("${candidate//:/\\:}${about:+:$about}") ;;
        esac
    done < <(cnet __complete "${(@Q)words[1,CURRENT]}" 2>/dev/null)
    (( ${#found} )) && _describe -V 'cnet' found
}
if [[ "$funcstack[1]" == "_cnet" ]]; then
    _cnet "$@"
else
    compdef _cnet @NAMES@
fi
"""

FISH = r"""# fish completion for cnet and its cmdlets; made by `cnet completion fish`
function __cnet_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (cnet __complete $words 2>/dev/null)
        switch $line
            case ':files*'
                __fish_complete_path (commandline -ct)
            case ':directories*'
                __fish_complete_directories (commandline -ct)
            case '*'
                printf '%s\n' $line
        end
    end
end
for name in @NAMES@
    complete -c $name -f -a '(__cnet_complete)'
end
"""


def script(shell: str) -> str:
    """Return the completion script of ``shell``."""
    source = {"bash": BASH, "zsh": ZSH, "fish": FISH}[shell]
    return source.replace("@NAMES@", " ".join(("cnet", *CMDLETS)))
