//! The kernel's list of the locks in a lockspace that this node knows of, `/sys/kernel/debug/dlm/<lockspace>_locks`.
//!
//! One node keeps the list of a resource's holders, most often the first that locked it; only there other nodes' locks
//! are listed.
//!
//! Source: Linux 6.1, `fs/dlm/debug_fs.c` (format 2), `fs/dlm/dlm_internal.h`.

use lvmwarden_protocol::lock::LockMode;

const GRANTED: i32 = 2;
const PROTECTED_READ: i32 = 3;
const EXCLUSIVE: i32 = 5;
/// The flag of an entry that stands for another node's lock, on the node that keeps the list.
const COPY: u32 = 0x0001_0000;

/// Returns the id of another node that holds the lock `resource` above null mode, out of the text of the list.
pub(super) fn other_holder(locks: &str, resource: &str) -> Option<u32> {
    locks.lines().find_map(|line| holder(line, resource))
}

/// Returns the names of the locks that this node holds above null mode, and their modes.
pub(super) fn own_locks(locks: &str) -> Vec<(String, LockMode)> {
    locks.lines().filter_map(own_lock).collect()
}

fn own_lock(line: &str) -> Option<(String, LockMode)> {
    let fields: Vec<_> = line.splitn(14, ' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<i32>().ok();
    let flags = u32::from_str_radix(fields.get(6)?, 16).ok()?;
    let name = fields.get(13)?.trim_matches('"');
    let is_own = flags & COPY == 0 && number(7)? == GRANTED;
    match number(8)? {
        PROTECTED_READ if is_own => Some((name.to_owned(), LockMode::Shared)),
        EXCLUSIVE if is_own => Some((name.to_owned(), LockMode::Exclusive)),
        _other_mode => None,
    }
}

/// The fields of a line: id, node, remote id, pid, xid, exflags, flags, status, granted mode, requested mode, time, the
/// resource's node (0: this one keeps the list), length and quoted name of the resource.
fn holder(line: &str, resource: &str) -> Option<u32> {
    let fields: Vec<_> = line.splitn(14, ' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<i32>().ok();
    let name = fields.get(13)?.trim_matches('"');
    let is_held = number(7)? == GRANTED && number(8)? >= PROTECTED_READ;
    let node = u32::try_from(number(1)?).ok().filter(|node| *node != 0)?;
    (name == resource && is_held && number(11)? == 0).then_some(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKS: &str = "\
id nodeid remid pid xid exflags flags sts grmode rqmode time_ms r_nodeid r_len r_name
1 0 0 900 0 400 0 2 0 -1 123456 0 4 \"VGLK\"
2 2 5 901 0 84 10000 2 5 -1 223456 0 4 \"VGLK\"
3 3 6 902 0 400 10000 2 0 -1 323456 0 4 \"GLLK\"
4 2 7 903 0 84 0 2 5 -1 423456 2 38 \"6hwPRQ-ubEX-Ovsh-fj3n-rkGY-SbuK-Gi6Lfw\"
";

    #[test]
    fn another_node_is_named_where_this_one_keeps_the_list() {
        assert_eq!(other_holder(LOCKS, "VGLK"), Some(2));
    }

    #[test]
    fn the_own_locks_are_those_that_are_no_copies() {
        let uuid = "6hwPRQ-ubEX-Ovsh-fj3n-rkGY-SbuK-Gi6Lfw".to_owned();
        assert_eq!(own_locks(LOCKS), [(uuid, LockMode::Exclusive)]);
        assert_eq!(
            own_locks("1 0 0 9 0 400 2 2 3 -1 12 0 4 \"VGLK\"\n"),
            [("VGLK".to_owned(), LockMode::Shared)]
        );
    }

    #[test]
    fn a_null_lock_holds_nothing() {
        assert_eq!(other_holder(LOCKS, "GLLK"), None);
    }

    #[test]
    fn the_own_lock_on_a_list_kept_elsewhere_is_no_other_node() {
        assert_eq!(other_holder(LOCKS, "6hwPRQ-ubEX-Ovsh-fj3n-rkGY-SbuK-Gi6Lfw"), None);
    }

    #[test]
    fn other_text_names_nobody() {
        assert_eq!(other_holder("", "VGLK"), None);
        assert_eq!(other_holder("2 2 \"VGLK\"\n", "VGLK"), None);
    }
}
