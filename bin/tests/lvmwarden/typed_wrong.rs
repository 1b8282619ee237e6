//! Each command typed wrong: the parser says what is wrong, with exit code 2, and no daemon is asked.

use std::path::Path;

use crate::program::run;

/// Asserts that the command line is refused, and with which words.
#[track_caller]
fn assert_refused(arguments: &[&str], words: &[&str]) {
    run(Path::new("/nonexistent"), arguments).assert_failed(2, words);
}

#[test]
fn each_command_says_what_is_wrong_with_it() {
    assert_refused(&["pol"], &["unrecognized subcommand 'pol'", "'poll'"]);
    assert_refused(&["poll"], &["Usage: lvmwarden poll [OPTIONS] <COMMAND>"]);
    assert_refused(&["poll", "lst"], &["unrecognized subcommand 'lst'"]);
    assert_refused(&["poll", "list", "vg0/lv"], &["unexpected argument 'vg0/lv'"]);
    assert_refused(&["poll", "show"], &["<OPERATION>..."]);
    assert_refused(&["poll", "wait"], &["<OPERATION>..."]);
    assert_refused(
        &["poll", "wait", "1", "--timeout", "soon"],
        &["--timeout <SECONDS>", "expected a number of seconds"],
    );
    assert_refused(&["poll", "wait", "1", "--timeout=-1"], &["expected a number of seconds"]);
    assert_refused(&["poll", "watch", "--forever"], &["unexpected argument '--forever'"]);
    assert_refused(&["poll", "abort"], &["<OPERATION>"]);
    assert_refused(&["poll", "abort", "1", "2"], &["unexpected argument '2'"]);
    assert_refused(&["poll", "history", "--limit", "-1"], &["'-1'"]);
    assert_refused(&["poll", "history", "--limit", "all"], &["invalid value 'all'"]);
    assert_refused(&["tree", "root"], &["unexpected argument 'root'"]);
    assert_refused(&["events", "--since", "yesterday"], &["expected EPOCH:NUMBER"]);
    assert_refused(&["events", "--limit"], &["--limit <COUNT>"]);
    assert_refused(&["metrics", "all"], &["unexpected argument 'all'"]);
    assert_refused(&["log-level"], &["<LEVEL>"]);
    assert_refused(&["log-level", "loud"], &["critical, error, warning, info, debug, trace"]);
    assert_refused(&["restart"], &["<NAME>"]);
    assert_refused(&["stop", "now"], &["unexpected argument 'now'"]);
    assert_refused(&["info", "-x"], &["unexpected argument '-x'"]);
    assert_refused(&["doctor", "who"], &["unexpected argument 'who'"]);
    assert_refused(&["--color", "sometimes"], &["auto, always, never"]);
    assert_refused(&["--socket"], &["--socket"]);
}

#[test]
fn start_checks_its_words_before_it_asks() {
    let lvid = "v".repeat(64);
    assert_refused(&["poll", "start"], &["<KIND>", "<VG/LV>"]);
    assert_refused(
        &["poll", "start", "copy", "vg/lv", "--lvid", &lvid],
        &["pvmove, convert, merge, merge_thin"],
    );
    assert_refused(&["poll", "start", "merge", "lv", "--lvid", &lvid], &["expected VG/LV"]);
    assert_refused(&["poll", "start", "merge", "vg/", "--lvid", &lvid], &["expected VG/LV"]);
    assert_refused(&["poll", "start", "merge", "vg/lv", "--lvid"], &["--lvid <UUIDS>"]);
    assert_refused(&["poll", "start", "merge", "vg/lv", "--lvid", &lvid[1..]], &["expected two UUIDs"]);
    assert_refused(&["poll", "start", "merge", "vg/lv", "--lvid", &lvid, "--sysdir", ""], &["it is empty"]);
    assert_refused(
        &["poll", "start", "merge", "vg/lv", "--lvid", &lvid, "--interval", "x"],
        &["invalid value 'x'"],
    );
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in [&["--help"][..], &["-h"], &["--version"], &["poll", "--help"], &["poll", "start", "-h"]]
    {
        let run = run(Path::new("/nonexistent"), arguments);
        run.assert_done();
        assert!(run.stdout.contains("lvmwarden"), "{run:?}");
    }
}

#[test]
fn help_lists_the_exit_codes() {
    let help = run(Path::new("/nonexistent"), ["--help"]).stdout;
    for (code, meaning) in lvmwarden::cli::exit_codes() {
        assert!(help.contains(&format!("  {code}  {meaning}")), "{code} is in {help}");
    }
}
