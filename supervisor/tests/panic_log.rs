//! What an operator reads when an actor panics; a process of its own, because the panic hook is one for all.

use std::{
    fmt::{Arguments, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::{Actor, ActorContext, Context, Handler, Message};
use lvmwarden_supervisor::{
    Backoff, ChildSpec, Name, Resolution, Root, Stop, Strategy, SupervisorSpec, log_panics, start_root,
};
use slog::{Drain, KV, Level, Logger, OwnedKVList, Record, Serializer, o};

/// Keeps each record of level info or above as one line: level, message, keys and values.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Drain for Lines {
    type Ok = ();
    type Err = slog::Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), slog::Never> {
        if record.level().is_at_least(Level::Info) {
            let mut line = Line(format!("{} {}", record.level().as_short_str(), record.msg()));
            record.kv().serialize(record, &mut line).expect("a line takes everything");
            values.serialize(record, &mut line).expect("a line takes everything");
            self.0.lock().expect("no panic while it is held").push(line.0);
        }
        Ok(())
    }
}

struct Line(String);

impl Serializer for Line {
    fn emit_arguments(&mut self, key: slog::Key, value: &Arguments<'_>) -> slog::Result {
        // Keys of one record come last to first.
        Ok(write!(self.0, " | {key}: {value}")?)
    }
}

/// Panics when asked to, and once more when it is dropped.
struct Unlucky;

impl Actor for Unlucky {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Self::Context) {
        panic!("and again");
    }
}

impl Handler<Stop> for Unlucky {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

#[derive(Clone, Message)]
#[rtype(result = "()")]
struct Break;

impl Handler<Break> for Unlucky {
    type Result = ();

    fn handle(&mut self, _: Break, _: &mut Self::Context) {
        panic!("out of luck");
    }
}

async fn break_child(root: &Root) {
    loop {
        if let Resolution::Running(unlucky) = root.registry().resolve::<Unlucky>(&Name::from("root/unlucky"))
        {
            let _ = unlucky.send(Break).await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn each_panic_restart_and_escalation_is_one_line_that_says_what_comes_next() {
    let lines = Lines::default();
    let log = Logger::root(lines.clone().fuse(), o!());
    log_panics(log.clone());
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime")
    };
    let delay = Duration::from_millis(10);
    let backoff = Backoff { first: delay, max: delay, quiet_period: delay };
    let spec = SupervisorSpec::new(Strategy::OneForOne).intensity(1, Duration::from_mins(1)).backoff(backoff);
    let ended = actix_rt::System::with_tokio_rt(runtime).block_on(async {
        let root = start_root(spec.child(ChildSpec::worker("unlucky", |_| Unlucky)), log);
        break_child(&root).await;
        break_child(&root).await;
        root.ended().await
    });
    // From here on a panic is a failed assertion, for people to see.
    drop(std::panic::take_hook());
    assert_eq!(
        ended.to_string(),
        "failed: root/unlucky: more than 1 restarts within 60s, last: panicked: out of luck"
    );

    let lines = lines.0.lock().unwrap().clone();
    let [first, again, restart, second, again_too, escalation] = lines.as_slice() else {
        panic!("{lines:#?}")
    };
    for panic in [first, again, second, again_too] {
        assert!(panic.starts_with("ERRO panicked | location: supervisor/tests/panic_log.rs:"), "{panic}");
        assert!(panic.ends_with(" | actor: root/unlucky"), "{panic}");
    }
    for (line, reason) in [(first, "out of luck"), (again, "and again"), (second, "out of luck")] {
        assert!(line.contains(&format!(" | reason: {reason} | ")), "{line}");
    }
    assert!(restart.starts_with("WARN child ended | next: restart in "), "{restart}");
    assert!(
        restart.ends_with(
            " | attempt: 1 | reason: panicked: out of luck | child: root/unlucky | component: root"
        ),
        "{restart}"
    );
    let expected = "ERRO child ended too often | next: stop all children, then end as failed | \
         reason: more than 1 restarts within 60s, last: panicked: out of luck | child: root/unlucky | component: root";
    assert_eq!(escalation, expected);
}
