//! The fields of a request: found in one pass over its entries, and written as lvm commands space them.

use std::io::Write as _;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{LockArgs, LockMode, Options, RequestedType};
use crate::config_text::{Content, Scalar, Section, put_quoted};

/// Declares the fields that the daemon knows, each with its name on the wire.
macro_rules! fields {
    ($($field:ident $name:literal,)*) => {
        /// A field that means something in some request.
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Field { $($field,)* }

        const FIELDS: usize = [$(Field::$field,)*].len();

        impl Field {
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$field => $name,)* }
            }

            fn from_name(name: &[u8]) -> Option<Self> {
                const NAMES: [&[u8]; FIELDS] = [$($name.as_bytes(),)*];
                $(if name == NAMES[Field::$field as usize] { return Some(Self::$field) })*
                None
            }
        }
    };
}

// The ones that every lock request has come first.
fields! {
    Request "request",
    Cmd "cmd",
    Pid "pid",
    Mode "mode",
    Opts "opts",
    VgName "vg_name",
    VgLockType "vg_lock_type",
    VgLockArgs "vg_lock_args",
    LvName "lv_name",
    LvUuid "lv_uuid",
    LvLockArgs "lv_lock_args",
    Version "version",
    MaxRetries "max_retries",
    VgUuid "vg_uuid",
    HostId "host_id",
    PrevLvArgs "prev_lv_args",
    SetLockArgs "set_lock_args",
    AlignMb "align_mb",
    LvSizeBytes "lv_size_bytes",
    Path "path",
}

/// The first entry of each name, with its first scalar.
pub(super) struct Fields<'f>([Option<&'f Content<'f>>; FIELDS]);

impl<'f> Fields<'f> {
    pub(super) fn of(section: &'f Section<'f>) -> Self {
        let mut found = [None; FIELDS];
        for node in &section.nodes {
            if let Some(field) = Field::from_name(&node.name) {
                found[field as usize].get_or_insert(&node.content);
            }
        }
        Self(found)
    }

    fn scalar(&self, field: Field) -> Option<&'f Scalar<'f>> {
        match self.0[field as usize]? {
            Content::Value(value) => value.first(),
            Content::Section(_) => None,
        }
    }

    /// Returns a string as it is; `None` for an empty one, one that is not UTF-8, and a number.
    pub(super) fn word(&self, field: Field) -> Option<&'f str> {
        match self.scalar(field)? {
            Scalar::String(text) if !text.is_empty() => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// Returns a string, empty when it is absent or says `none`.
    pub(super) fn text(&self, field: Field) -> Arc<str> {
        match self.word(field) {
            None | Some("none") => Arc::default(),
            Some(text) => text.into(),
        }
    }

    /// Returns a name or a UUID; `None` where it is absent, says `none`, or is not what LVM allows.
    pub(super) fn id<T: TryFrom<&'f str>>(&self, field: Field) -> Option<T> {
        self.word(field).filter(|word| *word != "none").and_then(|word| word.try_into().ok())
    }

    /// Returns lock arguments, empty where they are absent; `None` where they are none.
    pub(super) fn args(&self, field: Field) -> Option<LockArgs> {
        match self.word(field) {
            None | Some("none") => Some(LockArgs::default()),
            Some(word) => word.try_into().ok(),
        }
    }

    /// Returns an integer, or `None` when there is none.
    pub(super) fn int(&self, field: Field) -> Option<i64> {
        match self.scalar(field)? {
            Scalar::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns an integer of 32 bits, 0 when it is absent; higher bits are lost, as in C.
    pub(super) fn int32(&self, field: Field) -> u32 {
        const LOW_32_BITS: i64 = 0xffff_ffff;
        self.int(field).and_then(|value| u32::try_from(value & LOW_32_BITS).ok()).unwrap_or_default()
    }

    pub(super) fn mode(&self) -> Option<LockMode> {
        self.word(Field::Mode).and_then(LockMode::from_word)
    }

    pub(super) fn options(&self) -> Options {
        self.word(Field::Opts).map_or(Options::NONE, Options::parse)
    }

    pub(super) fn lock_type(&self) -> RequestedType {
        self.word(Field::VgLockType).map_or(RequestedType::None, RequestedType::from_word)
    }
}

/// What cannot be lock arguments.
const NO_WORD: &str = " ";

/// Writes fields as lvm commands of 2.03.16 space them: `request="x"`, then `key ="text"` and `key =1`.
pub(super) struct Writer(BytesMut);

impl Writer {
    /// A `lock_lv` of lvm fits without growing.
    const USUAL_BYTES: usize = 320;

    pub(super) fn new(keyword: &str) -> Self {
        let mut out = BytesMut::with_capacity(Self::USUAL_BYTES);
        out.put_slice(b"request=\"");
        out.put_slice(keyword.as_bytes());
        out.put_slice(b"\"\n");
        Self(out)
    }

    /// Writes a string, also an empty one.
    pub(super) fn text(&mut self, field: Field, value: &str) {
        self.key(field);
        put_quoted(&mut self.0, value.as_bytes());
        self.0.put_u8(b'\n');
    }

    /// Writes a string, `none` for an empty one.
    pub(super) fn text_or_none(&mut self, field: Field, value: &str) {
        self.text(field, if value.is_empty() { "none" } else { value });
    }

    /// Writes a string unless it is empty.
    pub(super) fn text_if_any(&mut self, field: Field, value: &str) {
        if !value.is_empty() {
            self.text(field, value);
        }
    }

    /// Writes lock arguments, `none` for empty ones; those that are none as what can be none.
    pub(super) fn args_or_none(&mut self, field: Field, args: Option<&LockArgs>) {
        self.text_or_none(field, args.map_or(NO_WORD, |args| args));
    }

    /// Writes lock arguments unless they are empty; those that are none as what can be none.
    pub(super) fn args_if_any(&mut self, field: Field, args: Option<&LockArgs>) {
        self.text_if_any(field, args.map_or(NO_WORD, |args| args));
    }

    pub(super) fn int(&mut self, field: Field, value: impl Into<i64>) {
        self.key(field);
        writeln!((&mut self.0).writer(), "{}", value.into()).expect("a buffer that grows takes any text");
    }

    /// Writes an integer unless it is 0.
    pub(super) fn int_if_any(&mut self, field: Field, value: impl Into<i64>) {
        let value = value.into();
        if value != 0 {
            self.int(field, value);
        }
    }

    /// Writes the mode; one that is no mode as `iv`.
    pub(super) fn mode(&mut self, mode: Option<LockMode>) {
        self.text(Field::Mode, mode.map_or("iv", LockMode::as_str));
    }

    /// Writes the options, joined by commas; `none` for none.
    pub(super) fn options(&mut self, options: Options) {
        let words: Vec<&str> = options.words().collect();
        self.text_or_none(Field::Opts, &words.join(","));
    }

    pub(super) fn finish(self) -> Bytes {
        self.0.freeze()
    }

    fn key(&mut self, field: Field) {
        self.0.put_slice(field.name().as_bytes());
        self.0.put_slice(b" =");
    }
}
