//! Requests worded as lvm 2.03 words them.

/// A request about one LV.
#[derive(Debug, Clone)]
#[must_use]
pub struct Operation {
    /// `pvmove`, `convert`, `merge` or `merge_thin`.
    pub kind: &'static str,
    /// Any string; lvm sends 64 characters.
    pub lvid: String,
    /// Name of the VG.
    pub vg: String,
    /// Name of the LV.
    pub lv: String,
    /// Further lines of the request that starts it, each with its newline.
    pub extra: String,
    /// The client's `LVM_SYSTEM_DIR`, part of the identity.
    pub system_dir: Option<String>,
    /// Does it ask for an abort?
    pub abort: bool,
}

impl Operation {
    /// Returns a pvmove of `VG/LV` with an LV id made of both names.
    pub fn pvmove(vg: &str, lv: &str) -> Self {
        Self {
            kind: "pvmove",
            lvid: uuid_of(vg) + &uuid_of(lv),
            vg: vg.into(),
            lv: lv.into(),
            extra: String::new(),
            system_dir: None,
            abort: false,
        }
    }

    /// Returns the same with another kind.
    pub fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// Returns the same from a client with this `LVM_SYSTEM_DIR`.
    pub fn system_dir(self, system_dir: &str) -> Self {
        Self { system_dir: Some(system_dir.into()), ..self }
    }

    /// Returns the abort of the same.
    pub fn abort(self) -> Self {
        Self { abort: true, ..self }
    }

    /// Returns the same with one more line in the request that starts it.
    pub fn with(mut self, line: &str) -> Self {
        self.extra = self.extra + line + "\n";
        self
    }

    /// Returns the LV as lvpoll gets it, `VG/LV`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.vg, self.lv)
    }

    /// Returns the request that starts it, with an interval of `1`.
    pub fn start(&self) -> String {
        let Self { kind, lvid, vg, lv, extra, .. } = self;
        format!(
            "request=\"{kind}\"\nlvid =\"{lvid}\"\nvgname =\"{vg}\"\nlvname =\"{lv}\"\ninterval =\"1\"\n{extra}{}",
            self.identity()
        )
    }

    /// Returns the request that asks how it is.
    pub fn progress(&self) -> String {
        format!("request=\"progress_info\"\nlvid =\"{}\"\n{}", self.lvid, self.identity())
    }

    fn identity(&self) -> String {
        let system_dir =
            self.system_dir.as_ref().map(|path| format!("sysdir =\"{path}\"\n")).unwrap_or_default();
        let abort = if self.abort { "abort =1\n" } else { "" };
        system_dir + abort
    }
}

/// Returns a UUID for a name, as they are in an lvid: its last characters, behind zeros.
fn uuid_of(name: &str) -> String {
    const LENGTH: usize = 32;
    let characters: Vec<char> =
        name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '0' }).collect();
    let last: String = characters[characters.len().saturating_sub(LENGTH)..].iter().collect();
    format!("{last:0>LENGTH$}")
}
