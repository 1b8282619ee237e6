//! `metadata problems`.

use lvmwarden_protocol::api::metadata::{Problem, ProblemKind};

use crate::cli::screen::{BAD, BOLD, ODD, plain, styled};

/// Words problems, a block each.
pub(super) fn words(problems: &[Problem]) -> String {
    if problems.is_empty() {
        return "nothing is wrong that the daemon knows of\n".to_owned();
    }
    problems.iter().map(block).collect::<Vec<_>>().join("\n")
}

fn block(problem: &Problem) -> String {
    let (word, style) = match problem.kind {
        ProblemKind::DuplicatePv => ("one PV on several devices", BAD),
        ProblemKind::SameName => ("several VGs with one name", BAD),
        ProblemKind::OldCopy => ("a PV with old metadata", ODD),
        ProblemKind::Contradiction => ("PVs that contradict one another", BAD),
        ProblemKind::MissingPv => ("a missing PV", BAD),
        ProblemKind::Unreadable => ("a device that cannot be read", BAD),
        ProblemKind::OutOfDate => ("a VG that has changed since", ODD),
        ProblemKind::SourceDown => ("a source of news that does not work", ODD),
    };
    let vg = problem.vgname.as_deref().map_or_else(String::new, |vg| styled(&plain(vg), BOLD) + ": ");
    let uuid = problem.vg_uuid.as_deref().filter(|_| problem.kind == ProblemKind::SameName);
    let devices = Some(problem.devices.join(", ")).filter(|devices| !devices.is_empty());
    let about = [
        uuid.map(|uuid| format!("VG {}", plain(uuid))),
        problem.pv_uuid.as_deref().map(|pv| format!("PV {}", plain(pv))),
        devices.map(|devices| format!("on {}", plain(&devices))),
        Some(plain(&problem.detail)),
    ];
    let about: Vec<_> = about.into_iter().flatten().map(|words| format!("  {words}\n")).collect();
    format!("{vg}{}\n{}", styled(word, style), about.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::samples::bare;

    #[test]
    fn a_problem_is_told_with_what_it_is_about() {
        let problem = Problem {
            kind: ProblemKind::DuplicatePv,
            vgname: Some("vg0".to_owned()),
            vg_uuid: None,
            pv_uuid: Some("u".to_owned()),
            devices: vec!["/dev/sda".to_owned(), "/dev/sdb".to_owned()],
            detail: "one is a copy".to_owned(),
        };
        assert_eq!(
            bare(&words(&[problem])),
            "vg0: one PV on several devices\n  PV u\n  on /dev/sda, /dev/sdb\n  one is a copy\n"
        );
        assert_eq!(words(&[]), "nothing is wrong that the daemon knows of\n");
    }
}
