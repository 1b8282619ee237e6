//! The number of a group.

use std::{fs, io};

use super::config::Group;

/// Where groups are.
const GROUPS: &str = "/etc/group";

/// Returns the number of a group; `None` if this host has none of that name.
///
/// Groups that are elsewhere than in /etc/group, as in a directory service, have to be given by number: to ask for them
/// may take long, and the service starts before the network does.
///
/// # Errors
/// The error of reading /etc/group.
pub(super) fn number_of(group: &Group) -> io::Result<Option<u32>> {
    match group {
        Group::Number(number) => Ok(Some(*number)),
        Group::Named(name) => Ok(find(&fs::read_to_string(GROUPS)?, name)),
    }
}

/// Source: group(5).
fn find(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_it = fields.next() == Some(name);
        fields.nth(1).filter(|_| is_it)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_its_whole_name() {
        let groups = "root:x:0:\n\n# comment\nlvmwardens:x:7:a\nlvmwarden:x:990:a,b\nbroken\nbad:x:y:\n";
        for (name, number) in
            [("lvmwarden", Some(990)), ("root", Some(0)), ("lvm", None), ("broken", None), ("bad", None)]
        {
            assert_eq!(find(groups, name), number, "{name}");
        }
    }

    #[test]
    fn the_group_of_root_is_on_every_host() {
        assert_eq!(number_of(&Group::Named("root".into())).unwrap(), Some(0));
        assert_eq!(number_of(&Group::Number(4_000)).unwrap(), Some(4_000));
    }
}
