# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_lvmwardend_global_optspecs
    string join \n c/config= check-config l/log-level= h/help V/version
end

function __fish_lvmwardend_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_lvmwardend_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_lvmwardend_using_subcommand
    set -l cmd (__fish_lvmwardend_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c lvmwardend -n "__fish_lvmwardend_needs_command" -s c -l config -d 'Read the configuration from here instead of /etc/lvmwarden/lvmwarden.toml' -r -F
complete -c lvmwardend -n "__fish_lvmwardend_needs_command" -s l -l log-level -d 'The least severe lines to log, whatever the configuration says' -r -f -a "critical\t''
error\t''
warning\t''
info\t''
debug\t''
trace\t''"
complete -c lvmwardend -n "__fish_lvmwardend_needs_command" -l check-config -d 'Say whether the configuration makes sense and what in it is not the default, and end: 0 if it does, 2 if not'
complete -c lvmwardend -n "__fish_lvmwardend_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwardend -n "__fish_lvmwardend_needs_command" -s V -l version -d 'Print version'
complete -c lvmwardend -n "__fish_lvmwardend_needs_command" -f -a "lvmpolld" -d 'Polls pvmoves, conversions and merges, as lvmpolld does'
complete -c lvmwardend -n "__fish_lvmwardend_needs_command" -f -a "lvmlockd" -d 'Holds the locks of shared VGs, as lvmlockd does'
complete -c lvmwardend -n "__fish_lvmwardend_needs_command" -f -a "lvmetad" -d 'Remembers the metadata of every VG, as lvmetad does'
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmpolld" -s l -l log -d 'Log more: all, wire (every message), debug, cmd (lvpoll gets -vvvv)' -r -f -a "all\t'Everything that concerns the daemon itself'
wire\t'Every message'
debug\t'What operations do in detail'
cmd\t'lvpoll gets `-vvvv`'"
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmpolld" -s p -l pidfile -d 'The pid file, locked while the daemon runs' -r -F
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmpolld" -s s -l socket -d 'The socket' -r -F
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmpolld" -s B -l binary -d 'The lvm binary that is started as lvpoll, by default /usr/sbin/lvm' -r -F
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmpolld" -l mode -d 'Who watches copies: lvpoll (classic), or the daemon, which starts lvpoll when there is something to do (events)' -r -f -a "classic\t'As lvmpolld does'
events\t'The daemon reads device-mapper'"
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmpolld" -s t -l timeout -d 'Leave after so many seconds without a client and without an operation; 0: never' -r
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmpolld" -s V -l version -d 'Show the version'
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmpolld" -s f -l foreground -d 'Stay in the foreground'
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmpolld" -l dump -d 'Ask the running daemon for its state and print it'
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmpolld" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s p -l pid-file -d 'The pid file, locked while the daemon runs' -r -F
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s s -l socket-path -d 'The socket' -r -F
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -l adopt-file -d 'Where the locks of LVs are written for a C daemon that comes after this one, with --adopt' -r -F
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s S -l syslog-priority -d 'The least severe lines to log: emerg, alert, crit, err, warning, notice, info, debug' -r
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s g -l gl-type -d 'Which lock manager has the global lock: dlm or sanlock; otherwise the first that is used' -r
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s i -l host-id -d 'This host\'s id in the lockspaces of sanlock, where a client says none' -r
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s F -l host-id-file -d 'A file with a line `host_id = NUMBER`, where neither a client nor --host-id says one' -r -F
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s o -l sanlock-timeout -d 'How long a read or write of a lease may take (sanlock); 0: as long as sanlock thinks' -r
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s A -l adopt -d 'Take over the locks of an earlier daemon: 0 or 1' -r -f -a "0\t''
1\t''"
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -l info-format -d 'Which lvmlockctl shall understand the daemon: that of lvm2 up to 2.03.27, or of 2.03.28 and later' -r -f -a "2.03.27\t''
2.03.28\t''"
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s V -l version -d 'Show the version'
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s T -l test -d 'Ask no lock manager: what is locked is known to this daemon alone'
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s f -l foreground -d 'Stay in the foreground'
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s D -l daemon-debug -d 'Stay in the foreground, and log everything on stderr'
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmlockd" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmetad" -s l -l log -d 'Log more: all, fatal, error, warn, info, debug, wire (every message)' -r
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmetad" -s p -l pidfile -d 'The pid file, locked while the daemon runs' -r -F
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmetad" -s s -l socket -d 'The socket' -r -F
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmetad" -s t -l timeout -d 'Leave after so many seconds without a client; 0: never' -r
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmetad" -s V -l version -d 'Show the version, and end with exit code 1'
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmetad" -s f -l foreground -d 'Stay in the foreground'
complete -c lvmwardend -n "__fish_lvmwardend_using_subcommand lvmetad" -s h -l help -d 'Print help (see more with \'--help\')'
