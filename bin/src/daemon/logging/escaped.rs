//! The one place where text enters a log line, whatever the line then looks like: every form gets it escaped.
//!
//! What is logged may be a stranger's command line, a client's words, or what lvpoll has printed.

use std::fmt;

use slog::{BorrowedKV, Drain, KV, Key, Never, OwnedKVList, Record, RecordStatic, Serializer, o};

use crate::text::plain;

/// Escapes what goes to the form behind it.
pub(super) struct Escaped<D>(pub(super) D);

impl<D: Drain<Ok = (), Err = Never>> Drain for Escaped<D> {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        escape(record, values, |record, values| self.0.log(record, values))
    }
}

/// Calls `write` with the same line, escaped. Its own keys come first, then those of its context.
pub(super) fn escape<T>(
    record: &Record<'_>,
    values: &OwnedKVList,
    write: impl FnOnce(&Record<'_>, &OwnedKVList) -> T,
) -> T {
    let line = RecordStatic { location: record.location(), tag: record.tag(), level: record.level() };
    let message = record.msg().to_string();
    let pairs = Pairs { record, values };
    write(&Record::new(&line, &format_args!("{}", plain(&message)), BorrowedKV(&pairs)), &o!().into())
}

/// The keys and values of a line and of its context.
struct Pairs<'a> {
    record: &'a Record<'a>,
    values: &'a OwnedKVList,
}

impl KV for Pairs<'_> {
    fn serialize(&self, _: &Record<'_>, serializer: &mut dyn Serializer) -> slog::Result {
        let mut escaping = Escaping(serializer);
        self.record.kv().serialize(self.record, &mut escaping)?;
        self.values.serialize(self.record, &mut escaping)
    }
}

struct Escaping<'a>(&'a mut dyn Serializer);

/// Passes on what cannot be text.
macro_rules! pass_on {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method(&mut self, key: Key, value: $type) -> slog::Result {
            self.0.$method(key, value)
        })*
    };
}

impl Serializer for Escaping<'_> {
    fn emit_arguments(&mut self, key: Key, value: &fmt::Arguments<'_>) -> slog::Result {
        self.0.emit_str(key, &plain(&value.to_string()))
    }

    fn emit_str(&mut self, key: Key, value: &str) -> slog::Result {
        self.0.emit_str(key, &plain(value))
    }

    fn emit_unit(&mut self, key: Key) -> slog::Result {
        self.0.emit_unit(key)
    }

    fn emit_none(&mut self, key: Key) -> slog::Result {
        self.0.emit_none(key)
    }

    pass_on! {
        emit_bool: bool, emit_u8: u8, emit_i8: i8, emit_u16: u16, emit_i16: i16, emit_u32: u32, emit_i32: i32,
        emit_u64: u64, emit_i64: i64, emit_u128: u128, emit_i128: i128, emit_usize: usize, emit_isize: isize,
        emit_f32: f32, emit_f64: f64,
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use slog::{Level, info};
    use slog_json::Json;
    use slog_term::{FullFormat, PlainSyncDecorator};

    use super::super::lines::line;
    use super::super::queue;
    use super::*;

    /// What a log has written.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The form of systemd's journal and of syslog.
    struct Lines(Mutex<Written>);

    impl Drain for Lines {
        type Ok = ();
        type Err = Never;

        fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
            let mut written = self.0.lock().unwrap();
            io::Write::write_all(&mut *written, format!("{}\n", line(record, values)).as_bytes()).unwrap();
            Ok(())
        }
    }

    /// A command line that would clear the screen and forge a line, in every place of a line.
    const HOSTILE: &str = "lvm\u{1b}[2J\nNov 29 12:00:00 INFO all is well\u{9b}1A\u{202e}";

    fn log_to<D: Drain<Ok = (), Err = Never> + Send + 'static>(drain: D) {
        let (log, _, guard) = queue::start(drain, Level::Info);
        let log = log.new(o!("context" => HOSTILE));
        let error = io::Error::other(HOSTILE);
        info!(log, "{}", HOSTILE; "text" => HOSTILE, "display" => %HOSTILE, "debug" => ?Some("x"),
              "error" => #&error, "count" => 7);
        drop((log, guard));
    }

    #[test]
    fn what_a_stranger_calls_itself_neither_forges_a_line_nor_reaches_the_terminal_in_any_form() {
        let written = Written::default();
        for form in ["terminal", "json", "lines"] {
            written.0.lock().unwrap().clear();
            match form {
                "terminal" => {
                    let decorator = PlainSyncDecorator::new(written.clone());
                    log_to(FullFormat::new(decorator).build().ignore_res());
                }
                "json" => log_to(Json::default(written.clone()).ignore_res()),
                _ => log_to(Lines(Mutex::new(written.clone()))),
            }
            let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
            assert_eq!(text.lines().count(), 1, "{form}: {text:?}");
            assert!(!text.trim_end().contains(crate::text::acts), "{form}: {text:?}");
            assert_eq!(text.matches("u{202e}").count(), 5, "{form}: nothing is lost: {text:?}");
        }
    }

    #[test]
    fn numbers_stay_numbers() {
        let written = Written::default();
        log_to(Json::default(written.clone()).ignore_res());
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains(r#""count":7"#), "{text}");
    }
}
