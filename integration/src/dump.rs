//! Reads the dump as upstream's test-suite does: by line.

/// One operation in a dump.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `poll` or `abort`.
    pub store: String,
    /// The LV id.
    pub lvid: String,
    /// `pvmove`, `convert`, `merge` or `merge_thin`.
    pub kind: String,
    /// The `VG/LV`.
    pub lvname: String,
    /// Process of its child.
    pub pid: i32,
    /// How often it was asked for.
    pub init_requests_count: u32,
    /// `in_progress` or `finished`.
    pub state: String,
    /// `retcode` or `signal` when it is finished, else empty.
    pub reason: String,
    /// Exit code or signal when it is finished.
    pub value: i32,
}

/// Returns the operations in a dump, in its order.
///
/// # Panics
/// When a number is none.
pub fn parse(dump: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut store = String::new();
    for line in dump.lines() {
        if let Some(name) = line.strip_suffix(" {") {
            match name.rfind('\t').map_or(0, |last_tab| last_tab + 1) {
                0 => store = name.into(),
                1 => entries.push(Entry { store: store.clone(), ..Entry::default() }),
                _ => {}
            }
            continue;
        }
        let (Some((key, value)), Some(entry)) = (line.trim_start().split_once('='), entries.last_mut())
        else {
            continue;
        };
        let value = value.trim_matches('"');
        match key {
            "lvid" => entry.lvid = value.into(),
            "type" => entry.kind = value.into(),
            "lvname" => entry.lvname = value.into(),
            "lvm_command_pid" => entry.pid = value.parse().expect("a pid is a number"),
            "init_requests_count" => entry.init_requests_count = value.parse().expect("a count is a number"),
            "state" => entry.state = value.into(),
            "reason" => entry.reason = value.into(),
            "value" => entry.value = value.parse().expect("a result is a number"),
            _ => {}
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_of_the_stock_daemon_is_read() {
        let dump = "# Registered polling operations\n\npoll {\n\tABC {\n\t\tlvid=\"ABC\"\n\t\ttype=\"pvmove\"\n\
                    \t\tlvname=\"vg/pvmove0\"\n\t\tlvm_command_pid=77\n\t\tpolling_finished=1\n\
                    \t\tinit_requests_count=2\n\t\tlvm_command {\n\t\t\tstate=\"finished\"\n\
                    \t\t\treason=\"retcode\"\n\t\t\tvalue=5\n\t\t}\n\t}\n}\n\n# Registered abort operations\n\n\
                    abort {\n\tABC {\n\t\tlvid=\"ABC\"\n\t}\n}\n";
        let polled = Entry {
            store: "poll".into(),
            lvid: "ABC".into(),
            kind: "pvmove".into(),
            lvname: "vg/pvmove0".into(),
            pid: 77,
            init_requests_count: 2,
            state: "finished".into(),
            reason: "retcode".into(),
            value: 5,
        };
        let aborted = Entry { store: "abort".into(), lvid: "ABC".into(), ..Entry::default() };
        assert_eq!(parse(dump), [polled, aborted]);
    }
}
