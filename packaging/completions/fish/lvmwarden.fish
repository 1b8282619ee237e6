# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_lvmwarden_global_optspecs
    string join \n socket= json color= h/help V/version
end

function __fish_lvmwarden_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_lvmwarden_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_lvmwarden_using_subcommand
    set -l cmd (__fish_lvmwarden_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -s V -l version -d 'Print version'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "poll" -d 'Poll operations: pvmoves, conversions and merges in progress'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "tree" -d 'Show the supervision tree'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "events" -d 'Show what happened, the latest last'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "metrics" -d 'Print all metrics, in the form that Prometheus reads'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "archive" -d 'The archive janitor: old copies of metadata in /etc/lvm/archive'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "lock" -d 'The locks of shared VGs: who holds what, who waits, and why'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "metadata" -d 'VGs, PVs and LVs, as the daemon has them in memory: no lock, no scan'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "reconfigure" -d 'Changes that all hosts of a VG make together, or none of them'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "log-level" -d 'Have the daemon log more or less, until it ends'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "restart" -d 'End an actor of the tree and start it anew, with all below it'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "stop" -d 'End the daemon in order'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "info" -d 'Show the daemon\'s version, process, and what it serves'
complete -c lvmwarden -n "__fish_lvmwarden_needs_command" -f -a "doctor" -d 'Check that lvm on this host uses the daemon, and say what to type where it does not'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -f -a "list" -d 'List all operations'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -f -a "show" -d 'Show all that is known of operations, and tell what has happened to them'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -f -a "watch" -d 'Follow operations to their end, with a bar for each'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -f -a "wait" -d 'Wait until operations have ended'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -f -a "foreign" -d 'List copies of others: raids, and lvm commands that poll by themselves'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -f -a "start" -d 'Have an LV polled, unless it is'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -f -a "abort" -d 'Abort a pvmove'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -f -a "throttle" -d 'Slow copies down, by the kernel\'s own knobs, or show how these stand'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -f -a "reconcile" -d 'Search LVM\'s metadata for operations that nobody polls, and have them polled'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -f -a "pause" -d 'Have pvmoves wait at the end of the segment that is being copied'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -f -a "resume" -d 'Have pvmoves go on that were paused'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and not __fish_seen_subcommand_from list show watch wait foreign start abort throttle reconcile pause resume history" -f -a "history" -d 'Show what happened to operations, the latest last, with those that are over'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from list" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from list" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from show" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from show" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from watch" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from watch" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from watch" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from wait" -l timeout -d 'Give up after so many seconds, with exit code 5' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from wait" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from wait" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from wait" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from foreign" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from foreign" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from foreign" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from foreign" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from start" -l lvid -d 'The UUID of the VG and that of the LV, one after the other; dashes do not matter' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from start" -l interval -d 'How often lvpoll looks; by default as often as the daemon is configured to' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from start" -l sysdir -d 'The folder of lvm.conf for lvpoll (`LVM_SYSTEM_DIR`)' -r -f -a "(__fish_complete_directories)"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from start" -l devicesfile -d 'The devices file for lvpoll' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from start" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from start" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from start" -l handle-missing-pvs -d 'Go on although PVs are missing'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from start" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from abort" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from abort" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from abort" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from abort" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from throttle" -l mirror -d 'Pvmoves, and mirrors that are brought in sync, take at most so much of the time; 100 is full speed' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from throttle" -l snapshot -d 'Merges of old-style snapshots, and what is copied into such, take at most so much of the time' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from throttle" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from throttle" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from throttle" -l off -d 'Give the old values back of what is not named'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from throttle" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from throttle" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from reconcile" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from reconcile" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from reconcile" -l dry-run -d 'Only show them'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from reconcile" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from reconcile" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from pause" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from pause" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from pause" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from resume" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from resume" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from resume" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from history" -l limit -d 'The latest so many steps only' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from history" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from history" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from history" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand poll; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand tree" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand tree" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand tree" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand tree" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand events" -l since -d 'Only what happened after the event with this cursor; tells what is not kept any more' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand events" -l limit -d 'At most so many events: the latest, or with --follow or --since the first' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand events" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand events" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand events" -s f -l follow -d 'Go on with what happens from now on, or since the cursor; survives a restart of the daemon'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand events" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand events" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metrics" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metrics" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metrics" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metrics" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and not __fish_seen_subcommand_from status plan clean" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and not __fish_seen_subcommand_from status plan clean" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and not __fish_seen_subcommand_from status plan clean" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and not __fish_seen_subcommand_from status plan clean" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and not __fish_seen_subcommand_from status plan clean" -f -a "status" -d 'Show how full the archive is, what the janitor keeps, and how its latest pass went'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and not __fish_seen_subcommand_from status plan clean" -f -a "plan" -d 'Show what a pass would remove now, and why; removes nothing'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and not __fish_seen_subcommand_from status plan clean" -f -a "clean" -d 'Remove now what is beyond the configured bounds'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and __fish_seen_subcommand_from status" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and __fish_seen_subcommand_from status" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and __fish_seen_subcommand_from status" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and __fish_seen_subcommand_from plan" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and __fish_seen_subcommand_from plan" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and __fish_seen_subcommand_from plan" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and __fish_seen_subcommand_from plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and __fish_seen_subcommand_from clean" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and __fish_seen_subcommand_from clean" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and __fish_seen_subcommand_from clean" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand archive; and __fish_seen_subcommand_from clean" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -f -a "list" -d 'Show the lockspaces of shared VGs, who holds their locks on this host, and who waits'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -f -a "show" -d 'Show the locks of one VG'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -f -a "start" -d 'Have lvm start the lockspace of a VG, as `vgchange --lock-start` does'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -f -a "stop" -d 'Leave the lockspace of a VG, unless one of its LVs is locked here'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -f -a "drop" -d 'Leave the lockspace of a VG with all its locks: its leases are lost, and its LVs were deactivated'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -f -a "orphans" -d 'Show locks of an earlier daemon that nobody has taken over'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -f -a "adopt" -d 'Take over locks of LVs that an earlier daemon has left behind; `lvchange -an` gives them back'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -f -a "release" -d 'Give locks that an earlier daemon has left behind to other hosts: nothing on this host may use them'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -f -a "explain" -d 'Say in words why a command waits'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -f -a "history" -d 'Show what happened to lockspaces and their locks, the latest last'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and not __fish_seen_subcommand_from list show start stop drop orphans adopt release explain history watch" -f -a "watch" -d 'Show all of it anew whenever it changes'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from list" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from list" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from show" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from show" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from start" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from start" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from start" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from stop" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from stop" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from stop" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from drop" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from drop" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from drop" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from drop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from orphans" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from orphans" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from orphans" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from orphans" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from adopt" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from adopt" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from adopt" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from adopt" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from release" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from release" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from release" -l force -d 'Although an LV is active, or a process lives that has asked: the other hosts get the lock beside it'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from release" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from release" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from explain" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from explain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from explain" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from history" -l limit -d 'The latest so many entries only' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from history" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from history" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from history" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from watch" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from watch" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from watch" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand lock; and __fish_seen_subcommand_from watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and not __fish_seen_subcommand_from vgs lvs pvs show wait watch problems rescan" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and not __fish_seen_subcommand_from vgs lvs pvs show wait watch problems rescan" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and not __fish_seen_subcommand_from vgs lvs pvs show wait watch problems rescan" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and not __fish_seen_subcommand_from vgs lvs pvs show wait watch problems rescan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and not __fish_seen_subcommand_from vgs lvs pvs show wait watch problems rescan" -f -a "vgs" -d 'List VGs, as vgs does'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and not __fish_seen_subcommand_from vgs lvs pvs show wait watch problems rescan" -f -a "lvs" -d 'List LVs, as lvs does'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and not __fish_seen_subcommand_from vgs lvs pvs show wait watch problems rescan" -f -a "pvs" -d 'List PVs, as pvs does'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and not __fish_seen_subcommand_from vgs lvs pvs show wait watch problems rescan" -f -a "show" -d 'Draw a VG: what lies where on its PVs, and its LVs with their segments'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and not __fish_seen_subcommand_from vgs lvs pvs show wait watch problems rescan" -f -a "wait" -d 'Wait until every PV of a VG is there'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and not __fish_seen_subcommand_from vgs lvs pvs show wait watch problems rescan" -f -a "watch" -d 'Tell of VGs that come, change, become complete or partial, and go'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and not __fish_seen_subcommand_from vgs lvs pvs show wait watch problems rescan" -f -a "problems" -d 'Show what is not as it should be: missing, doubled and old PVs, VGs of one name'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and not __fish_seen_subcommand_from vgs lvs pvs show wait watch problems rescan" -f -a "rescan" -d 'Have a device read again, whatever is known of it'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from vgs" -l max-age -d 'Have what is older than this looked at on the disks: one header of each VG, without a lock; such as 10s' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from vgs" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from vgs" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from vgs" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from vgs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from lvs" -l max-age -d 'Have what is older than this looked at on the disks: one header of each VG, without a lock; such as 10s' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from lvs" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from lvs" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from lvs" -s a -l all -d 'Those as well that are parts of others, in brackets'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from lvs" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from lvs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from pvs" -l max-age -d 'Have what is older than this looked at on the disks: one header of each VG, without a lock; such as 10s' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from pvs" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from pvs" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from pvs" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from pvs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from show" -l uuid -d 'Which of several VGs with this name' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from show" -l max-age -d 'Have what is older than this looked at on the disks: one header of each VG, without a lock; such as 10s' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from show" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from show" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from wait" -l timeout -d 'Give up after this time, such as 30s or 5min' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from wait" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from wait" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from wait" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from watch" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from watch" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from watch" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from problems" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from problems" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from problems" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from problems" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from rescan" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from rescan" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from rescan" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand metadata; and __fish_seen_subcommand_from rescan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "resize" -d 'Have an LV grow'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "refresh" -d 'Bring the devices of LVs to what the metadata say'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "rename" -d 'Give an LV another name'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "activate" -d 'Activate LVs on every host'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "deactivate" -d 'Deactivate LVs on every host'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "tag" -d 'Add tags to a VG or an LV, and remove tags'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "list" -d 'List the changes that are under way, and the latest that are over'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "show" -d 'Show one change: its hosts, their votes and reasons'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "watch" -d 'Tell a change to its end, or all changes for ever'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "wait" -d 'Wait until a change has ended'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "abandon" -d 'Abandon a change that has not come to its write'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "judge" -d 'Read the metadata now, and decide a change in doubt'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "members" -d 'Show the daemons in the group'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and not __fish_seen_subcommand_from resize refresh rename activate deactivate tag list show watch wait abandon judge members release-holds" -f -a "release-holds" -d 'Let go what is held on this host'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from resize" -l size -d 'The size wanted, such as 20G, or how much more, such as +5G; in MiB without a unit, as with lvextend' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from resize" -l hold -d 'Whether I/O is held meanwhile, where the VG is shared' -r -f -a "auto\t''
always\t''
never\t''"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from resize" -l id -d 'A UUID for the change, so that to ask twice changes once' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from resize" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from resize" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from resize" -l plan -d 'Only show what each host would say and do; nothing is changed'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from resize" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from resize" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from refresh" -l id -d 'A UUID for the change, so that to ask twice changes once' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from refresh" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from refresh" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from refresh" -l plan -d 'Only show what each host would say and do; nothing is changed'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from refresh" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from refresh" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from rename" -l id -d 'A UUID for the change, so that to ask twice changes once' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from rename" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from rename" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from rename" -l plan -d 'Only show what each host would say and do; nothing is changed'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from rename" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from activate" -l id -d 'A UUID for the change, so that to ask twice changes once' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from activate" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from activate" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from activate" -l plan -d 'Only show what each host would say and do; nothing is changed'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from activate" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from activate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from deactivate" -l id -d 'A UUID for the change, so that to ask twice changes once' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from deactivate" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from deactivate" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from deactivate" -l plan -d 'Only show what each host would say and do; nothing is changed'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from deactivate" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from deactivate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from tag" -l add -d 'A tag that it is to have' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from tag" -l remove -d 'A tag that it is not to have' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from tag" -l id -d 'A UUID for the change, so that to ask twice changes once' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from tag" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from tag" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from tag" -l plan -d 'Only show what each host would say and do; nothing is changed'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from tag" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from tag" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from list" -l limit -d 'The latest so many only' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from list" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from list" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from show" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from show" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from watch" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from watch" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from watch" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from wait" -l timeout -d 'Give up after so many seconds, with exit code 5' -r
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from wait" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from wait" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from wait" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from abandon" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from abandon" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from abandon" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from abandon" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from judge" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from judge" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from judge" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from judge" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from members" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from members" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from members" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from members" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from release-holds" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from release-holds" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from release-holds" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand reconfigure; and __fish_seen_subcommand_from release-holds" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand log-level" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand log-level" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand log-level" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand log-level" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand restart" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand restart" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand restart" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand restart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand stop" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand stop" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand stop" -l end-children -d 'End the lvpoll processes as well; the operations then rest until they are started again'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand stop" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand info" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand info" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand info" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand doctor" -l socket -d 'The daemon\'s socket' -r -F
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand doctor" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand doctor" -l json -d 'Print what the API answered, one JSON object a line, instead of text for people'
complete -c lvmwarden -n "__fish_lvmwarden_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
