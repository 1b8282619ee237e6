//! Texts that are understood, those that are not, and the file that is delivered.

use lvmwarden_actors::roles::poll::operation::state::Mode;
use lvmwarden_protocol::api::reconfigure::Kind as ChangeKind;
use lvmwarden_protocol::lock::LockType;
use lvmwarden_protocol::lock::info::InfoFormat;
use slog::Level;

use super::keys::{
    Api, ArchiveJanitor, Events, History, Lock, Log, Metadata, Metrics, Poll, Reconfigure, Service,
};
use super::*;
use crate::daemon::logging::Format;

/// The file that packages install.
const DELIVERED: &str = include_str!("../../../../packaging/lvmwarden.toml");

#[track_caller]
fn problems(text: &str) -> Vec<String> {
    parse(text).expect_err("something is wrong with it").iter().map(ToString::to_string).collect()
}

/// Returns the delivered file with every key in force.
fn uncommented() -> String {
    let is_key =
        |rest: &str| rest.starts_with(|first: char| first.is_ascii_lowercase()) && rest.contains(" = ");
    let lines =
        DELIVERED.lines().map(|line| line.strip_prefix('#').filter(|rest| is_key(rest)).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_not_said_has_its_default() {
    assert_eq!(parse("").unwrap(), Config::default());
    assert_eq!(parse("[log]\n[poll]\n").unwrap(), Config::default());
    assert_eq!(parse(DELIVERED).unwrap(), Config::default());
}

#[test]
fn the_delivered_file_shows_the_default_of_every_key() {
    let shown = parse(&uncommented()).unwrap();
    let off_by_default = Some("127.0.0.1:9836".parse().unwrap());
    let mut expected = Config::default();
    expected.metrics.listen = off_by_default;
    (expected.poll.limit_per_vg, expected.poll.limit_per_pv) = (Some(2), Some(1));
    assert_eq!(shown, expected);
}

/// A key that does not exist is answered with those that do.
#[test]
fn the_delivered_file_has_every_key() {
    let uncommented = uncommented();
    let document: toml::Spanned<toml::de::DeTable<'_>> = toml::de::DeTable::parse(&uncommented).unwrap();
    let sections =
        document.get_ref().iter().map(|(name, section)| (name.get_ref(), section.get_ref().as_table()));
    let sections: Vec<_> = sections.map(|(name, section)| (name.as_ref(), section.unwrap())).collect();
    let mut names: Vec<_> = sections.iter().map(|(name, _)| format!("[{name}]")).collect();
    let [answer] = &problems("[zzzzzzzz]")[..] else { panic!("one problem") };
    let mut known: Vec<_> = answer.split_once("there are ").unwrap().1.split(", ").collect();
    known.sort_unstable();
    names.sort_unstable();
    assert_eq!(names, known);
    for (name, section) in sections {
        let [answer] = &problems(&format!("[{name}]\nzzzzzzzz = 1"))[..] else { panic!("one problem") };
        let mut known: Vec<_> = answer.split_once(" has ").unwrap().1.split(", ").collect();
        known.sort_unstable();
        assert_eq!(
            section.keys().map(|key| key.get_ref().as_ref()).collect::<Vec<&str>>(),
            known,
            "[{name}]"
        );
    }
}

/// A value for every key, other than its default.
const EVERY_KEY: &str = r#"
        [service]
        roles = []
        [log]
        level = "debug"
        format = "json"
        wire = true
        [poll]
        socket = "/run/s"
        binary = "/bin/lvm"
        mode = "classic"
        interval_seconds = 1
        starts_at_once = 64
        reconcile = "report"
        reconcile_at_once = 1
        limit_per_vg = 1000
        limit_per_pv = 1
        windows = ["22:00-06:00"]
        [lock]
        socket = "/run/l"
        pid_file = "/run/l.pid"
        adopt_file = "/run/l.adopt"
        global_type = "sanlock"
        host_id = 7
        io_timeout_seconds = 10
        wait_limit_seconds = 0
        lvmlockctl = "2.03.28"
        binary = "/bin/l"
        kill_program = "/bin/k"
        [metadata]
        socket = "/run/m"
        fill = "commands"
        binary = "/bin/m"
        on_complete = ["/bin/c", "x"]
        [reconfigure]
        transport = "local"
        accept = ["tag", "resize"]
        binary = "/bin/r"
        lock_limit_seconds = 300
        send_limit_ms = 100
        vote_limit_ms = 1000
        prepare_limit_ms = 100
        hold_limit_ms = 30000
        apply_reserve_ms = 101
        apply_limit_ms = 1001
        commit_limit_ms = 1002
        doubt_limit_seconds = 10
        rounds_limit = 50
        [api]
        socket = "/run/a"
        mode = "0600"
        group = "100"
        [metrics]
        listen = "[::1]:1"
        [events]
        keep = 100_000
        [archive_janitor]
        enabled = true
        directory = "/a"
        files_per_vg = 1
        bytes_per_vg = 4_294_967_295
        age_days = 36500
        keep_newest = 1
        period_minutes = 1
        [history]
        keep = 10000
    "#;

#[test]
fn every_key_is_understood() {
    let config = Config {
        service: Service { roles: Vec::new() },
        log: Log { level: Level::Debug, format: Format::Json, wire: true },
        poll: Poll {
            socket: "/run/s".into(),
            binary: "/bin/lvm".into(),
            mode: Mode::Classic,
            interval_seconds: 1,
            starts_at_once: 64,
            reconcile: Reconcile::Report,
            reconcile_at_once: 1,
            limit_per_vg: Some(1000),
            limit_per_pv: Some(1),
            windows: vec!["22:00-06:00".parse().unwrap()],
        },
        lock: Lock {
            socket: "/run/l".into(),
            pid_file: "/run/l.pid".into(),
            adopt_file: "/run/l.adopt".into(),
            global_type: Some(LockType::Sanlock),
            host_id: 7,
            io_timeout_seconds: 10,
            wait_limit_seconds: 0,
            lvmlockctl: InfoFormat::WithoutSysid,
            binary: "/bin/l".into(),
            kill_program: "/bin/k".into(),
        },
        metadata: Metadata {
            socket: "/run/m".into(),
            fill: Fill::Commands,
            binary: "/bin/m".into(),
            on_complete: vec!["/bin/c".to_owned(), "x".to_owned()],
        },
        reconfigure: Reconfigure {
            transport: Transport::Local,
            accept: vec![ChangeKind::Tag, ChangeKind::Resize],
            binary: "/bin/r".into(),
            lock_limit_seconds: 300,
            send_limit_ms: 100,
            vote_limit_ms: 1000,
            prepare_limit_ms: 100,
            hold_limit_ms: 30_000,
            apply_reserve_ms: 101,
            apply_limit_ms: 1001,
            commit_limit_ms: 1002,
            doubt_limit_seconds: 10,
            rounds_limit: 50,
        },
        api: Api { socket: "/run/a".into(), mode: 0o600, group: Group::Number(100) },
        metrics: Metrics { listen: Some("[::1]:1".parse().unwrap()) },
        events: Events { keep: 100_000 },
        history: History { keep: 10_000 },
        archive_janitor: ArchiveJanitor {
            enabled: true,
            directory: "/a".into(),
            files_per_vg: 1,
            bytes_per_vg: u32::MAX,
            age_days: 36_500,
            keep_newest: 1,
            period_minutes: 1,
        },
    };
    assert_eq!(parse(EVERY_KEY), Ok(config));
}

#[test]
fn a_value_that_is_not_permitted_is_refused_with_those_that_are() {
    let level = r#""critical", "error", "warning", "info", "debug", "trace""#;
    let path = "an absolute path in quotes";
    let mode = r#"four octal digits in quotes, from "0000" to "0777""#;
    let address =
        r#"an address of this host itself with a port, in quotes, such as "127.0.0.1:9836" or "[::1]:9836""#;
    for (section, key, value, permitted) in [
        ("service", "roles", r#""poll""#, r#"a list of "poll", "lock", "metadata", "reconfigure""#),
        (
            "service",
            "roles",
            r#"["poll", "metadatas"]"#,
            r#"a list of "poll", "lock", "metadata", "reconfigure""#,
        ),
        ("metadata", "fill", r#""disk""#, r#""disks", "commands""#),
        (
            "metadata",
            "on_complete",
            r#"["logger"]"#,
            r#"a list of a program, as an absolute path, and its words, such as ["/usr/bin/logger", "-t", "vg"]"#,
        ),
        ("lock", "global_type", r#""idm""#, r#""auto", "dlm", "sanlock""#),
        ("lock", "host_id", "2001", "a whole number from 0 to 2000"),
        ("lock", "lvmlockctl", r#""2.03.16""#, r#""2.03.27", "2.03.28""#),
        ("lock", "kill_program", r#""lvmlockctl""#, "an absolute path in quotes, of at most 126 bytes"),
        ("log", "level", r#""loud""#, level),
        ("log", "level", r#""Info""#, level),
        ("log", "level", "7", level),
        ("log", "format", r#""xml""#, r#""auto", "terminal", "journal", "json""#),
        ("log", "wire", r#""yes""#, "true, false"),
        ("poll", "socket", r#""lvmpolld.socket""#, path),
        ("poll", "socket", r#""""#, path),
        ("poll", "binary", "false", path),
        ("poll", "mode", r#""Classic""#, r#""classic", "events""#),
        ("poll", "interval_seconds", "0", "a whole number from 1 to 86400"),
        ("poll", "interval_seconds", "-1", "a whole number from 1 to 86400"),
        ("poll", "interval_seconds", "1.5", "a whole number from 1 to 86400"),
        ("poll", "interval_seconds", "99999999999999999999", "a whole number from 1 to 86400"),
        ("poll", "starts_at_once", "65", "a whole number from 1 to 64"),
        ("poll", "reconcile", "true", r#""resume", "report", "off""#),
        ("poll", "reconcile_at_once", "0", "a whole number from 1 to 1000"),
        ("poll", "limit_per_vg", "0", "a whole number from 1 to 1000"),
        (
            "poll",
            "windows",
            r#"["22-06"]"#,
            r#"a list of parts of the day, such as ["22:00-06:00", "12:30-13:30"]"#,
        ),
        ("api", "socket", "[]", path),
        ("api", "mode", "0o660", mode),
        ("api", "mode", r#""660""#, mode),
        ("api", "mode", r#""1777""#, mode),
        ("api", "mode", r#""0680""#, mode),
        ("api", "group", r#""""#, "the name or the number of a group, in quotes"),
        ("api", "group", "100", "the name or the number of a group, in quotes"),
        ("metrics", "listen", r#""0.0.0.0:9836""#, address),
        ("metrics", "listen", r#""127.0.0.1""#, address),
        ("metrics", "listen", r#""127.0.0.1:0""#, address),
        ("metrics", "listen", r#""localhost:9836""#, address),
        ("events", "keep", "100001", "a whole number from 1 to 100000"),
        ("archive_janitor", "enabled", "1", "true, false"),
        ("archive_janitor", "directory", r#""archive""#, path),
        ("archive_janitor", "files_per_vg", "0", "a whole number from 1 to 100000"),
        ("archive_janitor", "bytes_per_vg", "4294967296", "a whole number from 1 to 4294967295"),
        ("archive_janitor", "age_days", "0", "a whole number from 1 to 36500"),
        ("archive_janitor", "keep_newest", "0", "a whole number from 1 to 10000"),
        ("archive_janitor", "period_minutes", "0", "a whole number from 1 to 10080"),
        ("history", "keep", "0", "a whole number from 1 to 10000"),
    ] {
        let column = key.len() + 4;
        assert_eq!(
            problems(&format!("[{section}]\n{key} = {value}")),
            [format!("2:{column}: {section}.{key} cannot be {value}; permitted: {permitted}")]
        );
    }
}

#[test]
fn a_kill_program_that_sanlock_would_cut_off_is_refused() {
    let with = |bytes: usize| format!("[lock]\nkill_program = \"/{}\"", "k".repeat(bytes - 1));
    assert!(parse(&with(126)).is_ok());
    assert_eq!(problems(&with(127)).len(), 1);
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_or_with_all() {
    let sections = "[service], [log], [poll], [lock], [metadata], [reconfigure], [api], [metrics], [events], [history], \
                    [archive_janitor]";
    for (text, expected) in [
        ("[log]\nlevels = 1", "2:1: there is no key log.levels; did you mean log.level?".to_owned()),
        ("[log]\n  format_ = 1", "2:3: there is no key log.format_; did you mean log.format?".to_owned()),
        ("log.colour = 1", "1:5: there is no key log.colour; [log] has level, format, wire".to_owned()),
        (
            "[log]\n\n'Größe ü' = 1",
            "3:1: there is no key log.Größe ü; [log] has level, format, wire".to_owned(),
        ),
        ("[logs]", "1:2: there is no section [logs]; did you mean [log]?".to_owned()),
        ("[elsewhere]", "1:2: there is no section [elsewhere]; there are ".to_owned() + sections),
        ("level = 'info'", "1:1: the key level is in no section; there are ".to_owned() + sections),
        ("log = 'info'", "1:1: log must be a section, [log]".to_owned()),
        ("[[log]]", "1:3: log must be a section, [log]".to_owned()),
    ] {
        assert_eq!(problems(text), [expected], "{text}");
    }
}

#[test]
fn all_that_is_wrong_is_told_in_the_order_of_the_text() {
    let text = "[poll]\nsockte = '/x'\nbinary = 3\n\n[log]\nlevel = 'ü'; ";
    assert_eq!(problems(text).len(), 1, "what is no TOML hides the rest");
    let text = "[poll]\nsockte = '/x'\nbinary = 3\n\n[log]\nwire = 'ü'\n[lox]\n";
    assert_eq!(
        problems(text),
        [
            "2:1: there is no key poll.sockte; did you mean poll.socket?",
            "3:10: poll.binary cannot be 3; permitted: an absolute path in quotes",
            "6:8: log.wire cannot be 'ü'; permitted: true, false",
            "7:2: there is no section [lox]; did you mean [log]?",
        ]
    );
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    for (text, place) in [
        ("[log", "1:5: "),
        ("[log]\nlevel = info\n", "2:9: "),
        ("[log]\nlevel = 'info'\nlevel = 'debug'\n", "3:1: "),
        ("[log]\n[log]\n", "2:2: "),
    ] {
        let problems = problems(text);
        assert!(problems[0].starts_with(&format!("{place}is not TOML: ")), "{text}: {problems:?}");
    }
}

#[test]
fn a_long_wrong_value_is_cut_off() {
    let text = format!("[log]\nlevel = '''{}\nsecond'''", "x".repeat(100));
    let [problem] = &problems(&text)[..] else { panic!("one problem") };
    assert!(problem.contains(&format!("cannot be '''{}…; permitted", "x".repeat(37))), "{problem}");
}

#[test]
fn an_absent_file_is_no_problem_unless_it_was_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lvmwarden.toml");
    let error = Source::Named(path.clone()).load().unwrap_err();
    assert_eq!(error.to_string(), format!("{}: cannot be read", path.display()));
    std::fs::write(&path, "[log]\nlevel = 'loud'\n[log2]\n").unwrap();
    let error = Source::Named(path.clone()).load().unwrap_err().to_string();
    let path = path.display();
    assert_eq!(
        error,
        format!(
            "{path}:2:9: log.level cannot be 'loud'; permitted: \"critical\", \"error\", \"warning\", \"info\", \
             \"debug\", \"trace\"\n{path}:3:2: there is no section [log2]; did you mean [log]?"
        )
    );
}

/// What packages install is what the list of keys says.
#[test]
fn the_delivered_file_is_the_one_that_is_written() {
    assert_eq!(default_file(), DELIVERED, "`cargo pages` writes it");
}

#[test]
fn a_change_is_told_by_its_key() {
    let old = Config::default();
    assert_eq!(changes(&old, &old), []);
    let new = parse("[log]\nlevel = 'debug'\n[events]\nkeep = 5\n").unwrap();
    let told: Vec<_> = changes(&old, &new).into_iter().map(|change| (change.key, change.at_once)).collect();
    assert_eq!(told, [("log.level".to_owned(), true), ("events.keep".to_owned(), false)]);
}

/// What a running daemon has after a reload differs from the file in the keys that wait for a restart, and in no other.
#[test]
fn a_reload_takes_on_every_key_that_it_can() {
    let new = parse("[log]\nlevel = 'debug'\n[events]\nkeep = 5\n[poll]\nlimit_per_pv = 3\n").unwrap();
    let mut config = Config::default();
    take_on(&mut config, &new);
    let waiting: Vec<_> = changes(&config, &new).into_iter().map(|change| change.key).collect();
    assert_eq!(waiting, ["events.keep"]);
}

#[test]
fn what_is_not_the_default_is_told_with_the_default() {
    let text =
        "[service]\nroles = ['lock', 'poll']\n[poll]\nlimit_per_vg = 3\n[api]\nmode = '0600'\ngroup = '7'\n";
    assert_eq!(differences(&Config::default()), Vec::<String>::new());
    assert_eq!(
        differences(&parse(text).unwrap()),
        [
            r#"service.roles = ["lock", "poll"] (by default ["poll"])"#,
            "poll.limit_per_vg = 3 (by default not set)",
            r#"api.mode = "0600" (by default "0660")"#,
            r#"api.group = "7" (by default "lvmwarden")"#,
        ]
    );
}

/// A value that is written is read as the same value: the file of one daemon can be made from what another one does.
#[test]
fn what_is_written_is_read_as_it_was() {
    struct Writer<'config>(&'config Config, String);
    impl Visitor for Writer<'_> {
        fn section(&mut self, name: &'static str) {
            self.1.extend(["[", name, "]\n"]);
        }
        fn key<T: PartialEq + Clone>(&mut self, key: Key<T>) {
            if let Some(value) = key.kind.write((key.get)(self.0)) {
                self.1.extend([key.name, " = ", &value, "\n"]);
            }
        }
    }
    let odd = "[api]\ngroup = 'a\"b\\\u{e9}'\nsocket = '/a \"b\"'\n[poll]\nwindows = ['22:00-06:00']\nlimit_per_vg = 9\n";
    for text in ["", odd] {
        let config = parse(text).unwrap();
        let mut writer = Writer(&config, String::new());
        keys(&mut writer);
        let written = writer.1;
        assert_eq!(parse(&written), Ok(config), "{written}");
    }
}
