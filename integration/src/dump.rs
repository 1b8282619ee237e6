//! Reads the dump as upstream's test-suite does: by line.

/// One operation in a dump.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `poll` or `abort`.
    pub store: String,
    /// The LV id.
    pub lvid: String,
    /// The `VG/LV`.
    pub lvname: String,
    /// Process of its child.
    pub pid: i32,
    /// How often it was asked for.
    pub init_requests_count: u32,
    /// `in_progress` or `finished`.
    pub state: String,
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
            "lvname" => entry.lvname = value.into(),
            "lvm_command_pid" => entry.pid = value.parse().expect("a pid is a number"),
            "init_requests_count" => entry.init_requests_count = value.parse().expect("a count is a number"),
            "state" => entry.state = value.into(),
            _ => {}
        }
    }
    entries
}
