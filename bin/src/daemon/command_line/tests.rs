//! Command lines that are understood, and those that are not.

use std::ffi::OsString;

use super::{LogKeyword, LvmpolldOptions, Refused, Role, parse};

fn lvmpolld(words: &[&str]) -> Result<LvmpolldOptions, Refused> {
    parse(words.iter().map(OsString::from)).map(|Role::Lvmpolld(options)| options)
}

#[test]
fn the_role_is_the_first_word_or_the_name_of_the_program() {
    for words in [&["lvmwardend", "lvmpolld", "-s", "/x"][..], &["/usr/sbin/lvmpolld", "-s", "/x"]] {
        assert_eq!(lvmpolld(words).unwrap().socket(), std::path::Path::new("/x"), "{words:?}");
    }
    assert!(lvmpolld(&["lvmwardend"]).is_err());
    assert!(lvmpolld(&["lvmwardend", "lvmfoold"]).is_err());
}

#[test]
fn options_of_the_c_daemon_are_understood() {
    let options =
        lvmpolld(&["lvmpolld", "-f", "-l", "all,cmd", "-p", "/p", "--binary", "/b", "-t", "60"]).unwrap();
    assert!(options.foreground);
    assert!(
        [LogKeyword::Wire, LogKeyword::Debug, LogKeyword::Cmd].map(|word| options.logs(word)) == [true; 3]
    );
    assert_eq!(options.pid_file(), std::path::Path::new("/p"));
    assert_eq!(options.binary(), std::path::Path::new("/b"));
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
