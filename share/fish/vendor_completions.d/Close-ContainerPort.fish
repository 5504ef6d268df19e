# fish completion for cnet and its cmdlets; made by `cnet completion fish`
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
for name in cnet New-ContainerNetwork Remove-ContainerNetwork Get-ContainerNetwork Join-ContainerNetwork Leave-ContainerNetwork Get-ContainerEndpoint Open-ContainerPort Close-ContainerPort
    complete -c $name -f -a '(__cnet_complete)'
end
