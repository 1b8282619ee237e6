//! The archive in words.

use lvmwarden_protocol::api::archive::{Limits, Removal, Seen, Unmet};

use super::*;
use crate::cli::samples::{bare, clock};

fn vg(vgname: &str, files: u64, removed_files: u64, unmet: Vec<Unmet>) -> Vg {
    let bytes = |files| files * 2048;
    Vg {
        vgname: vgname.to_owned(),
        files,
        bytes: bytes(files),
        removed_files,
        removed_bytes: bytes(removed_files),
        unmet,
    }
}

fn removal(index: u32, bound: Bound) -> Removal {
    Removal {
        file_name: format!("vg0_{index:05}-7.vg"),
        bytes: 2048,
        modified_at: "2026-11-20T10:00:00Z".to_owned(),
        bound,
    }
}

fn empty() -> Report {
    Report {
        files: 0,
        bytes: 0,
        removed_files: 0,
        removed_bytes: 0,
        unrecognised: 0,
        is_cut_off: false,
        vgs: vec![],
        vgs_left_out: 0,
        removals: vec![],
        removals_left_out: 0,
    }
}

#[test]
fn a_plan_is_told_by_vg_and_with_the_first_copies() {
    let over = |because| vec![Unmet { bound: Bound::Files, because }];
    let plan = Report {
        removed_files: 30,
        unrecognised: 2,
        is_cut_off: true,
        vgs: vec![
            vg("vg0", 110_000, 30, vec![]),
            vg("vg1", 700, 0, over(Because::OperationInProgress)),
            vg("vg2", 700, 0, over(Because::NoGoodCopies)),
            vg("vg3", 11, 0, vec![Unmet { bound: Bound::Age, because: Because::NewestCopies }]),
            vg("vg4", 12, 0, vec![Unmet { bound: Bound::Age, because: Because::ClockNotSynchronised }]),
            vg("vg5", 12, 0, vec![Unmet { bound: Bound::Age, because: Because::NewestCopySeemsOld }]),
        ],
        vgs_left_out: 3,
        removals: (0..30).map(|index| removal(index, Bound::Files)).collect(),
        ..empty()
    };
    let text = bare(&report(&plan, "WOULD GO", &clock()));
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[..15],
        [
            "VG   COPIES        SIZE  WOULD GO       SIZE  STILL OVER",
            "vg0  110000  214.84 MiB        30  60.00 KiB",
            "vg1     700    1.37 MiB         0        0 B  number: an operation is in progress",
            "vg2     700    1.37 MiB         0        0 B  number: too few good copies",
            "vg3      11   22.00 KiB         0        0 B  age: the newest copies stay",
            "vg4      12   24.00 KiB         0        0 B  age: the clock is not known to be synchronised",
            "vg5      12   24.00 KiB         0        0 B  age: the newest copy seems over a year old",
            "and 3 more VGs",
            "and 2 names that lvm does not write, which are left alone",
            "and more copies than one pass looks at: the next pass goes on",
            "the clock is not known to be synchronised, so no copy goes for its age: see timedatectl or chronyc tracking",
            "where the newest copy seems over a year old, the clock may be wrong, and no copy goes for its age: check the date; if it is right, remove old copies by hand",
            "",
            "COPY            WRITTEN                  SIZE  FOR",
            "vg0_00000-7.vg  2026-11-20 10:00:00  2.00 KiB  number",
        ]
    );
    assert_eq!(lines.len(), 13 + 1 + NAMED + 1);
    assert_eq!(lines.last(), Some(&"and 10 more"));
}

#[test]
fn an_empty_archive_is_told_in_words() {
    assert_eq!(report(&empty(), "REMOVED", &clock()), "there are no copies\n");
}

#[test]
fn the_state_says_what_is_kept_and_how_it_went() {
    let limits = Limits { files_per_vg: 500, bytes_per_vg: 128 << 20, age_days: 365, keep_newest: 10 };
    let mut reply = StatusReply {
        state: JanitorState::Off,
        directory: "/etc/lvm/archive".to_owned(),
        period_minutes: 90,
        limits,
        is_clock_synchronised: true,
        seen: None,
        last_pass: None,
    };
    assert_eq!(
        bare(&status(&reply, &clock())),
        "\
janitor    off: nothing is removed
directory  /etc/lvm/archive
keeps      500 copies, 128.00 MiB, 365 days for each VG; of these the newest 10 good ones in any case
every      1 h 30 min
seen       not looked at yet
last pass  none since the daemon started
"
    );
    reply.is_clock_synchronised = false;
    let text = bare(&status(&reply, &clock()));
    let line = "clock      not known to be synchronised, so no copy goes for its age: see timedatectl or chronyc tracking\n";
    assert!(text.ends_with(line), "{text}");
    reply.is_clock_synchronised = true;
    let pass = Pass {
        ended_at: "2026-11-21T11:59:00Z".to_owned(),
        took_ms: 812,
        removed_files: 2,
        removed_bytes: 4096,
        vgs_over: 0,
        problem: None,
    };
    reply.state = JanitorState::Waiting;
    reply.seen = Some(Seen { files: 500, bytes: 1 << 20, unrecognised: 1 });
    for (pass, words) in [
        (pass.clone(), "11:59:00, within 812 ms: 2 copies, 4.00 KiB, were removed"),
        (
            Pass { vgs_over: 1, ..pass.clone() },
            "11:59:00, within 812 ms: 2 copies, 4.00 KiB, were removed; 1 VGs are over a bound: lvmwarden archive plan",
        ),
        (
            Pass { problem: Some("open /x: gone".to_owned()), ..pass },
            "11:59:00, within 812 ms: 2 copies, 4.00 KiB, were removed; then it failed to open /x: gone",
        ),
    ] {
        reply.last_pass = Some(pass);
        let text = bare(&status(&reply, &clock()));
        assert!(text.starts_with("janitor    on\n"), "{text}");
        assert!(
            text.contains("seen       500 copies, 1.00 MiB; 1 other names, which are left alone\n"),
            "{text}"
        );
        assert!(text.ends_with(&format!("last pass  {words}\n")), "{text}");
    }
}
