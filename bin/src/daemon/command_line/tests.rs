//! Command lines that are understood, and those that are not.

use std::ffi::OsString;

use std::path::Path;

use slog::Level;

use super::{LogKeyword, LvmpolldOptions, Program, Refused, ServiceOptions, parse};
use crate::daemon::config::Source;

fn lvmpolld(words: &[&str]) -> Result<LvmpolldOptions, Refused> {
    parse(words.iter().map(OsString::from)).map(|program| match program {
        Program::Lvmpolld(options) => options,
        Program::Service(options) => panic!("a stand-in was asked for, not {options:?}"),
    })
}

fn service(words: &[&str]) -> Result<ServiceOptions, Refused> {
    let words = [&["lvmwardend"], words].concat();
    parse(words.iter().map(OsString::from)).map(|program| match program {
        Program::Service(options) => options,
        Program::Lvmpolld(options) => panic!("the service was asked for, not {options:?}"),
    })
}

#[test]
fn the_service_is_what_runs_without_another_name() {
    let options = service(&[]).unwrap();
    assert_eq!((options.source(), options.check_config, options.log_level), (Source::Default, false, None));
    let options = service(&["--config", "/c", "--check-config", "--log-level", "debug"]).unwrap();
    assert_eq!(options.source(), Source::Named("/c".into()));
    assert_eq!((options.check_config, options.log_level), (true, Some(Level::Debug)));
}

#[test]
fn a_wrong_command_line_ends_with_the_code_of_the_daemon_that_was_meant() {
    for (words, exit_code) in [
        (&["lvmwardend", "--bogus"][..], 2),
        (&["lvmwardend", "lvmfoold"], 2),
        (&["lvmwardend", "--log-level", "loud"], 2),
        (&["lvmwardend", "--config", "/c", "lvmpolld"], 2),
        (&["lvmwardend", "lvmpolld", "--check-config"], 1),
        (&["lvmpolld", "--bogus"], 1),
    ] {
        let refused = parse(words.iter().map(OsString::from)).unwrap_err();
        assert_eq!((refused.error.use_stderr(), refused.exit_code), (true, exit_code), "{words:?}");
    }
}

#[test]
fn the_role_is_the_first_word_or_the_name_of_the_program() {
    for words in [&["lvmwardend", "lvmpolld", "-s", "/x"][..], &["/usr/sbin/lvmpolld", "-s", "/x"]] {
        assert_eq!(lvmpolld(words).unwrap().socket(), Path::new("/x"), "{words:?}");
    }
}

#[test]
fn options_of_the_c_daemon_are_understood() {
    let options =
        lvmpolld(&["lvmpolld", "-f", "-l", "all,cmd", "-p", "/p", "--binary", "/b", "-t", "60"]).unwrap();
    assert!(options.foreground);
    assert!(
        [LogKeyword::Wire, LogKeyword::Debug, LogKeyword::Cmd].map(|word| options.logs(word)) == [true; 3]
    );
    assert_eq!(options.pid_file(), Path::new("/p"));
    assert_eq!(options.binary(), Path::new("/b"));
    assert_eq!(options.timeout(), Some(std::time::Duration::from_mins(1)));
}

#[test]
fn all_does_not_make_lvpoll_verbose() {
    assert!(!lvmpolld(&["lvmpolld", "-l", "all"]).unwrap().logs(LogKeyword::Cmd));
}

#[test]
fn a_timeout_of_zero_is_none() {
    assert_eq!(lvmpolld(&["lvmpolld", "-t", "0"]).unwrap().timeout(), None);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for words in [
        &["lvmpolld", "--dump", "-f"][..],
        &["lvmpolld", "--dump", "-t", "5"],
        &["lvmpolld", "-t", "abc"],
        &["lvmpolld", "-t=-1"],
        &["lvmpolld", "-l", "loud"],
        &["lvmpolld", "--bogus"],
        &["lvmpolld", "extra"],
    ] {
        assert!(lvmpolld(words).is_err(), "{words:?}");
    }
}
