//! A host whose daemon is the machines of a change over the transport. Its device and its lvm are fake; its disk is a folder
//! that all hosts share, and the VG's lock is a lock of a file there: it ends with its holder.
//!
//! It dies where it is told to, by SIGKILL, or waits there for what is done to its corosync. It finds its journal in its node's `/run`
//! when it is started again.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufRead};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use lvmwarden_actors::roles::reconfigure::transport::cpg::Corosync;
use lvmwarden_actors::roles::reconfigure::transport::{Opened, Transport, TransportEvent};
use lvmwarden_reconfigure::change::{Change, Event};
use lvmwarden_reconfigure::coordinator::{self, Finding, WriterEnd};
use lvmwarden_reconfigure::effect::{Effect, Timer};
use lvmwarden_reconfigure::kind::{Kind, Terms};
use lvmwarden_reconfigure::member::Member;
use lvmwarden_reconfigure::membership::Membership;
use lvmwarden_reconfigure::record::Memory;
use lvmwarden_reconfigure::wire::{Message, Sender};
use lvmwarden_reconfigure::word::{Concern, Decision, Vote, Word};
use lvmwarden_reconfigure::{judge, participant};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::time::Instant;

use crate::member_process::{now, settings, text};

/// The shared disk, in every node.
const METADATA: &str = "/disk/metadata";
const VG_LOCK: &str = "/disk/lock";
const JOURNAL: &str = "/run/journal";
/// What ends a wait, in the node.
pub(crate) const GO_ON: &str = "/run/go-on";
/// As long as a message needs to be on its way.
const SENDING: Duration = Duration::from_millis(30);

/// Serves until the end of the input.
pub(crate) fn serve() {
    let Opened { transport, mut events } = Corosync::open(settings(20_000)).unwrap();
    let (sender, calls) = channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            drop(sender.send(line));
        }
    });
    let mut host = Host::new(transport);
    loop {
        host.run_timers();
        host.try_lock();
        match events.try_recv() {
            Ok(event) => {
                host.told(event);
                continue;
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return,
        }
        match calls.recv_timeout(Duration::from_millis(2)) {
            Ok(call) => println!("= {}", host.called(&call)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Journal {
    number: u32,
    coordinator: Member,
    memory: Memory,
}

struct Current {
    journal: Journal,
    change: Change,
}

struct Host {
    transport: Arc<dyn Transport>,
    me: Option<Member>,
    around: Membership,
    current: Option<Current>,
    /// What has ended here, by number.
    ended: BTreeMap<u32, Option<Decision>>,
    timers: BTreeMap<Timer, Instant>,
    wants_lock: bool,
    lock: Option<File>,
    look: Option<File>,
    is_held: bool,
    dies_at: String,
    waits_at: String,
}

impl Host {
    fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            me: None,
            around: Membership::new(),
            current: None,
            ended: BTreeMap::new(),
            timers: BTreeMap::new(),
            wants_lock: false,
            lock: None,
            look: None,
            is_held: false,
            dies_at: String::new(),
            waits_at: String::new(),
        }
    }

    fn called(&mut self, call: &str) -> String {
        match call.split(' ').collect::<Vec<_>>()[..] {
            ["dies", ref at @ ..] => {
                self.dies_at = at.join(" ");
                "done".to_owned()
            }
            ["waits", ref at @ ..] => {
                self.waits_at = at.join(" ");
                "done".to_owned()
            }
            ["ask", number] => {
                let (me, number) = (self.me.unwrap(), number.parse().unwrap());
                let journal = Journal { number, coordinator: me, memory: Memory::default() };
                self.current = Some(Current { journal, change: Change::asked(me, terms(number), 3) });
                self.apply(Event::Coordinator(coordinator::Event::Accepted));
                "asked".to_owned()
            }
            ["state"] => {
                let busy = self.current.as_ref().map(|current| format!("busy {:?}", current.change));
                busy.unwrap_or_else(|| if self.is_held { "held" } else { "idle" }.to_owned())
            }
            ["outcome", number] => match self.ended.get(&number.parse().unwrap()) {
                None => "unheard".to_owned(),
                Some(decision) => word_of(*decision).to_owned(),
            },
            _ => unreachable!("no such call: {call}"),
        }
    }

    fn told(&mut self, event: TransportEvent) {
        println!("{} {}", now().as_nanos(), text(&event));
        match event {
            TransportEvent::Joined(me) => {
                self.me = Some(me);
                self.resume(me);
            }
            TransportEvent::ViewChanged { left, joined } => {
                self.around.view_changed(&left, &joined);
                self.apply(Event::ViewChanged(left, !joined.is_empty()));
                if !joined.is_empty() {
                    self.say_hello();
                }
            }
            TransportEvent::RingFormed(ring) => self.around.ring_formed(ring),
            TransportEvent::QuorumTold(ring, is_quorate) => {
                self.around.quorum_told(ring, is_quorate);
                self.apply(Event::SurroundingsChanged);
            }
            TransportEvent::Delivered(from, bytes) => self.delivered(from, &bytes),
            TransportEvent::Lost(_) => {
                self.around.lost();
                self.apply(Event::TransportLost);
            }
        }
    }

    /// Takes up what an earlier life has left; the VG's lock is kept where it may have written.
    fn resume(&mut self, me: Member) {
        if self.current.is_some() || !Path::new(JOURNAL).exists() {
            return;
        }
        let journal: Journal = serde_json::from_slice(&fs::read(JOURNAL).unwrap()).unwrap();
        let Journal { number, coordinator, memory } = journal;
        if memory.has_ended {
            self.ended.insert(number, memory.decision);
            return;
        }
        if memory.is_coordinator && memory.has_gate && memory.decision.is_none() {
            let file = lock_file();
            file.lock().unwrap();
            self.lock = Some(file);
        }
        let mut effects = Vec::new();
        let change = Change::resumed(me, coordinator, terms(number), memory, &mut effects);
        self.current = Some(Current { journal, change });
        self.carry_all_out(effects);
    }

    fn say_hello(&self) {
        let mut decided: Vec<_> =
            self.ended.iter().map(|(number, decision)| format!("{number}:{}", word_of(*decision))).collect();
        if let Some(current) = &self.current {
            decided.push(format!("{}:{}", current.journal.number, word_of(current.change.decision())));
        }
        self.send(format!("hello {}", decided.join(",")).into_bytes());
    }

    fn delivered(&mut self, from: Member, bytes: &[u8]) {
        if let Some(decided) = bytes.strip_prefix(b"hello ") {
            self.around.hello_heard(from);
            self.apply(Event::SurroundingsChanged);
            for change in String::from_utf8(decided.to_vec()).unwrap().split(',') {
                let is_ours = |number: &str| {
                    self.current.as_ref().is_some_and(|current| current.journal.number.to_string() == number)
                };
                if let Some((number, word)) = change.split_once(':')
                    && is_ours(number)
                    && let Some(decision) = decision_of(word)
                {
                    self.apply(Event::Told(from, decision));
                }
            }
            return;
        }
        let message = Message::parse(bytes).unwrap();
        assert!(message.is_from(from), "{message:?}");
        let number = number_of(&message.id);
        if self.current.is_none()
            && !self.ended.contains_key(&number)
            && matches!(message.word, Word::Propose { .. })
        {
            let journal = Journal { number, coordinator: from, memory: Memory::default() };
            let change = Change::heard(self.me.unwrap(), terms(number));
            self.current = Some(Current { journal, change });
        }
        if self.current.as_ref().is_some_and(|current| current.journal.number == number) {
            self.apply(Event::Delivered(from, message.word));
        }
    }

    fn run_timers(&mut self) {
        let now = Instant::now();
        while let Some((timer, _)) = self.timers.iter().find(|(_, at)| **at <= now) {
            let timer = *timer;
            self.timers.remove(&timer);
            self.apply(Event::Elapsed(timer));
        }
    }

    /// Asks for the VG's lock again, as long as it is wanted.
    fn try_lock(&mut self) {
        let file = if self.wants_lock { lock_file() } else { return };
        if file.try_lock().is_ok() {
            (self.lock, self.wants_lock) = (Some(file), false);
            self.apply(Event::Coordinator(coordinator::Event::LocksHeld));
        }
    }

    fn apply(&mut self, event: Event) {
        let mut effects = Vec::new();
        if let Some(current) = &mut self.current {
            current.change.apply(event, &self.around, &mut effects);
            self.carry_all_out(effects);
        }
    }

    fn carry_all_out(&mut self, effects: Vec<Effect>) {
        let mut events: VecDeque<_> =
            effects.into_iter().filter_map(|effect| self.carry_out(effect)).collect();
        while let (Some(event), Some(current)) = (events.pop_front(), &mut self.current) {
            let mut effects = Vec::new();
            current.change.apply(event, &self.around, &mut effects);
            for effect in effects {
                events.extend(self.carry_out(effect));
            }
        }
        if let Some(current) = self.current.take_if(|current| current.change.is_over()) {
            self.ended.insert(current.journal.number, current.change.decision());
            self.timers.clear();
        }
    }

    /// Carries one effect out; returns what comes of it at once.
    fn carry_out(&mut self, effect: Effect) -> Option<Event> {
        let current = self.current.as_mut().unwrap();
        let (number, terms) = (current.journal.number, terms(current.journal.number));
        match effect {
            Effect::Record(record) => {
                current.journal.memory.remember(record);
                fs::write("/run/journal.new", serde_json::to_vec(&current.journal).unwrap()).unwrap();
                fs::rename("/run/journal.new", JOURNAL).unwrap();
                let record = format!("{record:?}").to_lowercase();
                self.reach(&format!("record {}", record.split([' ', '(']).next().unwrap()));
            }
            Effect::Send(word) => self.say(number, word),
            Effect::Arm(timer) => drop(self.timers.insert(timer, Instant::now() + limit(timer))),
            Effect::TakeLocks => self.wants_lock = true,
            Effect::GiveBackLocks => (self.lock, self.wants_lock) = (None, false),
            Effect::ReadVg => return Some(Event::Coordinator(coordinator::Event::VgRead(Ok(())))),
            Effect::StartWriter => return Some(Event::Coordinator(coordinator::Event::GateAsked)),
            Effect::OpenGate => {
                assert!(self.lock.is_some(), "no lock, no write");
                self.reach("gate");
                fs::write("/disk/metadata.new", number.to_string()).unwrap();
                fs::rename("/disk/metadata.new", METADATA).unwrap();
                self.reach("written");
                let end = coordinator::Event::WriterEnded(WriterEnd::AtGoal);
                return Some(Event::Coordinator(end));
            }
            Effect::AwaitWriter => return Some(Event::Judge(judge::Event::WriterEnded)),
            Effect::Look => {
                assert!(self.lock.is_some() || self.look.is_some(), "no lock, no look");
                return Some(Event::Looked(finding(number)));
            }
            Effect::TakeLookLock => {
                let file = lock_file();
                self.look = file.try_lock_shared().is_ok().then_some(file);
                let has_it = self.look.is_some();
                return Some(Event::Judge(if has_it { judge::Event::Locked } else { judge::Event::Refused }));
            }
            Effect::GiveBackLookLock => self.look = None,
            Effect::Check => {
                let vote = Vote { concern: Concern::Lv, objection: None };
                return Some(Event::Participant(participant::Event::Checked(vote)));
            }
            Effect::Prepare => {
                self.is_held = terms.holds;
                return Some(Event::Participant(participant::Event::Prepared));
            }
            Effect::Refresh | Effect::Undo => return Some(self.release()),
            Effect::Release => {
                let part = current.change.participant().map(participant::Participant::state);
                let released = self.release();
                return (part != Some(participant::State::Doubt)).then_some(released);
            }
            Effect::Conflict(from) => println!("{} conflict with {from}", now().as_nanos()),
            Effect::ShutGate
            | Effect::EndWriter
            | Effect::StartRefresher
            | Effect::TellGuard
            | Effect::Ended(_) => {}
        }
        None
    }

    fn release(&mut self) -> Event {
        self.is_held = false;
        Event::Participant(participant::Event::PartDone)
    }

    fn say(&mut self, number: u32, word: Word) {
        let name = format!("{word:?}").to_lowercase();
        let name = name.split([' ', '(']).next().unwrap().to_owned();
        self.reach(&format!("send {name}"));
        let me = self.me.unwrap();
        let life = id_of(0);
        let from = Sender { node: me.node, pid: me.pid, name: me.node.to_string(), life };
        self.send(Message { id: id_of(number), from, word }.to_bytes());
        if [&self.dies_at, &self.waits_at].contains(&&format!("sent {name}")) {
            thread::sleep(SENDING);
        }
        self.reach(&format!("sent {name}"));
    }

    fn send(&self, bytes: Vec<u8>) {
        // What cannot be sent is lost, as any message may be.
        let _ = self.transport.send(bytes);
    }

    /// Dies here, or waits here until it is told to go on by a file, where either was asked for.
    fn reach(&self, place: &str) {
        if self.dies_at == place {
            kill_process(getpid(), Signal::KILL).unwrap();
            thread::sleep(Duration::from_mins(1));
        }
        if self.waits_at == place {
            println!("{} waits {place}", now().as_nanos());
            while fs::remove_file(GO_ON).is_err() {
                thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

/// Even numbers write and hold, odd ones do neither.
fn terms(number: u32) -> Terms {
    let kind = if number.is_multiple_of(2) { Kind::Resize } else { Kind::Activate };
    kind.terms()
}

fn lock_file() -> File {
    File::options().create(true).truncate(false).write(true).open(VG_LOCK).unwrap()
}

fn finding(number: u32) -> Finding {
    let written = fs::read_to_string(METADATA).unwrap_or_default();
    if written == number.to_string() { Finding::Applied } else { Finding::NotApplied }
}

fn id_of(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn number_of(id: &str) -> u32 {
    id.rsplit('-').next().unwrap().parse().unwrap()
}

fn word_of(decision: Option<Decision>) -> &'static str {
    match decision {
        None => "undecided",
        Some(Decision::Committed) => "committed",
        Some(Decision::Abandoned) => "abandoned",
        Some(Decision::Superseded) => "superseded",
    }
}

fn decision_of(word: &str) -> Option<Decision> {
    [Decision::Committed, Decision::Abandoned, Decision::Superseded]
        .into_iter()
        .find(|decision| word_of(Some(*decision)) == word)
}

fn limit(timer: Timer) -> Duration {
    Duration::from_millis(match timer {
        Timer::Lock | Timer::Apply => 10_000,
        Timer::Vote | Timer::Commit => 5000,
        Timer::Objections => 500,
        Timer::Prepare | Timer::Reserve => 3000,
        Timer::Doubt => 30_000,
        Timer::LookAgain | Timer::RefreshAgain => 100,
    })
}
