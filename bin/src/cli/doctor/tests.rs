//! The report.

use super::*;
use crate::cli::samples::bare;

#[test]
fn the_report_says_what_to_type_and_how_many_things_are_wrong() {
    let findings = [
        Finding::well("lvm", "version 2.03.16(2)"),
        Finding::unsure("systemd", "it does not answer", &[]),
        Finding::wrong(
            "daemon",
            "it does not run",
            &["systemctl start lvmwardend", "journalctl -u lvmwardend"],
        ),
    ];
    assert_eq!(
        bare(&report(&findings)),
        "\
ok     lvm      version 2.03.16(2)
note   systemd  it does not answer
WRONG  daemon   it does not run
                  systemctl start lvmwardend
                  journalctl -u lvmwardend

1 thing is to be mended
"
    );
    assert!(bare(&report(&findings[..2])).ends_with("\nall is well\n"));
}

#[test]
fn findings_for_programs_have_lower_case_verdicts() {
    let finding = Finding::wrong("unit", "x", &["y"]);
    let json = serde_json::json!({ "about": "unit", "verdict": "wrong", "message": "x", "remedy": ["y"] });
    assert_eq!(serde_json::to_value(finding).unwrap(), json);
}
