//! Command lines that are understood, and those that are not.

use std::ffi::OsString;
use std::process::ExitCode;

use std::path::Path;

use slog::Level;

use lvmwarden_protocol::lock::LockType;
use lvmwarden_protocol::lock::info::InfoFormat;

use super::{
    LogKeyword, LvmetadOptions, LvmlockdOptions, LvmpolldOptions, Program, Refused, ServiceOptions, parse,
};
use crate::daemon::config::Source;

fn lvmpolld(words: &[&str]) -> Result<LvmpolldOptions, Refused> {
    parse(words.iter().map(OsString::from)).map(|program| match program {
        Program::Lvmpolld(options) => options,
        other => panic!("lvmpolld was asked for, not {other:?}"),
    })
}

fn lvmlockd(words: &[&str]) -> Result<LvmlockdOptions, Refused> {
    let words = [&["lvmlockd"], words].concat();
    parse(words.iter().map(OsString::from)).map(|program| match program {
        Program::Lvmlockd(options) => options,
        other => panic!("lvmlockd was asked for, not {other:?}"),
    })
}

fn service(words: &[&str]) -> Result<ServiceOptions, Refused> {
    let words = [&["lvmwardend"], words].concat();
    parse(words.iter().map(OsString::from)).map(|program| match program {
        Program::Service(options) => options,
        other => panic!("the service was asked for, not {other:?}"),
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
        (&["lvmlockd", "--bogus"], 1),
        (&["lvmwardend", "lvmlockd", "-g", "idm"], 1),
        (&["lvmetad", "-z"], 0),
        (&["lvmetad", "-p"], 0),
        (&["lvmwardend", "lvmetad", "-t", "x"], 1),
    ] {
        let refused = parse(words.iter().map(OsString::from)).unwrap_err();
        assert_eq!(
            (refused.error.use_stderr(), refused.exit_code),
            (true, ExitCode::from(exit_code)),
            "{words:?}"
        );
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

#[test]
fn options_of_lvmlockd_are_understood() {
    let usual = lvmlockd(&[]).unwrap();
    assert!(usual.is_background() && !usual.test && !usual.adopt && !usual.version);
    assert_eq!((usual.gl_type, usual.host_id, usual.sanlock_timeout), (None, 0, 0));
    assert_eq!(usual.adopt_file, Path::new("/run/lvm/lvmlockd.adopt"));
    assert_eq!((usual.level(), usual.info_format), (Level::Warning, InfoFormat::WithSysid));
    let options = lvmlockd(&[
        "-T",
        "-f",
        "-p",
        "/p",
        "-s",
        "/s",
        "--adopt-file",
        "/a",
        "-S",
        "err",
        "-g",
        "sanlock",
        "-i",
        "7",
        "-F",
        "/h",
        "-o",
        "2",
        "-A",
        "1",
        "--info-format",
        "2.03.28",
    ])
    .unwrap();
    assert!(options.test && !options.is_background() && options.adopt);
    assert_eq!((options.pid_file(), options.socket()), ("/p".into(), "/s".into()));
    assert_eq!((options.adopt_file.as_path(), options.level()), (Path::new("/a"), Level::Error));
    assert_eq!((options.gl_type, options.host_id, options.sanlock_timeout), (Some(LockType::Sanlock), 7, 2));
    assert_eq!((options.host_id_file(), options.info_format), (None, InfoFormat::WithoutSysid));
    let long =
        lvmlockd(&["--test", "--daemon-debug", "--gl-type", "dlm", "--host-id-file", "/h", "--adopt", "0"]);
    let long = long.unwrap();
    assert_eq!((long.level(), long.gl_type), (Level::Trace, Some(LockType::Dlm)));
    assert_eq!(long.host_id_file(), Some(Path::new("/h")));
    assert!(!long.is_background() && !long.adopt);
}

#[test]
fn an_unknown_priority_of_lvmlockd_stands_for_warnings() {
    for (word, level) in [
        ("emerg", Level::Critical),
        ("warn", Level::Warning),
        ("notice", Level::Info),
        ("loud", Level::Warning),
    ] {
        assert_eq!(lvmlockd(&["-S", word]).unwrap().level(), level, "{word}");
    }
}

#[test]
fn what_makes_no_sense_to_lvmlockd_is_refused() {
    for words in [
        &["-g", "clvm"][..],
        &["-g", "idm"],
        &["-A", "maybe"],
        &["-o", "x"],
        &["-l", "X"],
        &["-I", "X"],
        &["--info-format", "3"],
        &["extra"],
    ] {
        let refused = lvmlockd(words).unwrap_err();
        assert_eq!(refused.exit_code, ExitCode::from(1), "{words:?}");
    }
    assert!(lvmlockd(&["-g", "clvm"]).unwrap_err().error.to_string().contains("invalid gl-type option"));
}

fn lvmetad(words: &[&str]) -> Result<LvmetadOptions, Refused> {
    let words = [&["lvmetad"], words].concat();
    parse(words.iter().map(OsString::from)).map(|program| match program {
        Program::Lvmetad(options) => options,
        other => panic!("lvmetad was asked for, not {other:?}"),
    })
}

#[test]
fn options_of_lvmetad_are_understood() {
    let options = lvmetad(&["-f", "-l", "warn,bogus", "-p", "/p", "-s", "/s", "-t", "60", "word"]).unwrap();
    assert!(options.foreground && !options.version && !options.logs_wire());
    assert_eq!(
        (options.pid_file().as_path(), options.socket().as_path()),
        (Path::new("/p"), Path::new("/s"))
    );
    assert_eq!(options.timeout(), Some(std::time::Duration::from_mins(1)));
    for (words, level) in [
        (&[][..], Level::Info),
        (&["-l", "wire", "-l", "debug"], Level::Debug),
        (&["-l", "all"], Level::Trace),
    ] {
        assert_eq!(lvmetad(words).unwrap().level(), level, "{words:?}");
    }
    for never in ["", "0"] {
        assert_eq!(lvmetad(&["-t", never]).unwrap().timeout(), None);
    }
    for wrong in ["x", "-1", "1.5", "1x", "4294967295", "99999999999"] {
        assert!(lvmetad(&["-t", wrong]).is_err(), "{wrong}");
    }
}
