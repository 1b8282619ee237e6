//! A member of the group: a process on a node, what it was told, and what it is asked.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::cluster::{PATIENCE, wait_for};
use crate::node::Node;

/// The variable that makes a process of this program a member; its value is how long one of its messages may not come back.
pub(crate) const DELIVERY_LIMIT_MS: &str = "LVMWARDEN_TEST_DELIVERY_LIMIT_MS";
/// The variable that makes it a stranger in the group, which sends one message of so many bytes.
pub(crate) const FOREIGN_BYTES: &str = "LVMWARDEN_TEST_FOREIGN_BYTES";
/// The variable that makes it a host, which drives the machines of a change.
pub(crate) const HOST: &str = "LVMWARDEN_TEST_HOST";

/// A member.
pub(crate) struct Member {
    node: u32,
    child: Child,
    calls: ChildStdin,
    answers: Receiver<String>,
    told: Arc<Mutex<Vec<Told>>>,
}

/// What a member was told, and when, by the clock that all processes share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) at: Duration,
    pub(crate) text: String,
}

/// The group as a member sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    pub(crate) members: Vec<String>,
    pub(crate) ring: Option<String>,
    pub(crate) quorum: Option<(String, bool)>,
}

impl Member {
    /// Starts a member on a node.
    pub(crate) fn start(node: &Node, delivery_limit_ms: u64) -> Self {
        Self::start_with(node, delivery_limit_ms, |_| {})
    }

    /// Starts a host on a node, which is a member as well.
    pub(crate) fn start_host(node: &Node) -> Self {
        Self::start_with(node, 0, |command| {
            command.env(HOST, "1");
        })
    }

    /// The same as `start`, with a command that is changed before.
    pub(crate) fn start_with(node: &Node, delivery_limit_ms: u64, change: impl FnOnce(&mut Command)) -> Self {
        let exe = env::current_exe().unwrap();
        let mut command = node.command(format!("/test/{}", exe.file_name().unwrap().to_str().unwrap()));
        command.env(DELIVERY_LIMIT_MS, delivery_limit_ms.to_string());
        change(&mut command);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let calls = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, answers) = mpsc::channel();
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                match line.split_once(' ').unwrap() {
                    ("=", answer) => drop(sender.send(answer.to_owned())),
                    (at, text) => {
                        let at = Duration::from_nanos(at.parse().unwrap());
                        heard.lock().unwrap().push(Told { at, text: text.to_owned() });
                    }
                }
            }
        });
        Self { node: node.id, child, calls, answers, told }
    }

    /// Returns the name of the member in the group.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.node, self.child.id())
    }

    /// Asks for something that takes long.
    pub(crate) fn ask(&mut self, words: &str) {
        writeln!(self.calls, "{words}").unwrap();
    }

    /// Returns the answer to what was asked.
    #[track_caller]
    pub(crate) fn answer(&self) -> String {
        self.answers.recv_timeout(PATIENCE).expect("a member answers")
    }

    /// Asks, and returns the answer.
    #[track_caller]
    pub(crate) fn call(&mut self, words: &str) -> String {
        self.ask(words);
        self.answer()
    }

    /// Returns how much was told.
    pub(crate) fn count(&self) -> usize {
        self.told.lock().unwrap().len()
    }

    /// Returns what was told from the `from`th on.
    pub(crate) fn told_from(&self, from: usize) -> Vec<Told> {
        self.told.lock().unwrap()[from..].to_vec()
    }

    /// Returns the texts of what was told from the `from`th on that begin with `word`.
    pub(crate) fn texts(&self, from: usize, word: &str) -> Vec<String> {
        let told = self.told.lock().unwrap();
        told[from..].iter().filter(|told| told.text.starts_with(word)).map(|told| told.text.clone()).collect()
    }

    /// Waits until something that begins with `text` was told from the `from`th on.
    #[track_caller]
    pub(crate) fn wait(&self, from: usize, text: &str) -> Told {
        let mut found = None;
        wait_for(text, || {
            found =
                self.told.lock().unwrap()[from..].iter().find(|told| told.text.starts_with(text)).cloned();
            found.is_some()
        });
        found.unwrap()
    }

    /// Returns what the member sees now.
    pub(crate) fn surroundings(&self) -> Surroundings {
        let mut seen = Surroundings::default();
        for told in self.told.lock().unwrap().iter() {
            let words: Vec<_> = told.text.split(' ').collect();
            match words[..] {
                ["lost", ..] => seen = Surroundings::default(),
                ["ring", ring] => seen.ring = Some(ring.to_owned()),
                ["quorum", ring, is_quorate] => {
                    seen.quorum = Some((ring.to_owned(), is_quorate == "yes"));
                }
                ["view", ref changes @ ..] => {
                    for change in changes {
                        let (sign, member) = change.split_at(1);
                        seen.members.retain(|other| other != member);
                        if sign == "+" {
                            seen.members.push(member.to_owned());
                        }
                    }
                }
                _ => {}
            }
        }
        seen.members.sort();
        seen
    }

    /// Tells whether the process has ended.
    pub(crate) fn has_died(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Ends the process as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
