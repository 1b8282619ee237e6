//! What has happened to one operation: pure.

use jiff::Timestamp;
use lvmwarden_protocol::api::poll::OperationStory;
use lvmwarden_protocol::ids::{LvName, VgName};
use lvmwarden_protocol::poll::PollOperation;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::foundation::store::ledger::history::{Asked, Step, What};
use crate::roles::poll::operation::state::Names;

/// How many steps a story has at most.
pub const STORY_STEPS: usize = 500;
/// How many of them are its beginning, which is kept; of the others the latest are.
const FIRST_STEPS: usize = 50;

/// What has happened to one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The operation's name.
    pub op: Uuid,
    /// What is polled.
    pub kind: PollOperation,
    /// Whether a pvmove is being aborted.
    pub abort: bool,
    /// The VG's name, as it was first.
    pub vgname: VgName,
    /// The LV's name, likewise.
    pub lvname: LvName,
    /// Who asked, where somebody is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Box<Asked>>,
    /// Oldest first, at most [`STORY_STEPS`].
    pub steps: Vec<StoryStep>,
    /// How many steps had no room, between the beginning and the latest.
    pub left_out: u32,
}

/// One step of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryStep {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub what: What,
}

impl Story {
    /// Begins the story of the operation that `step` is about; without that step.
    pub fn of(step: &Step) -> Self {
        Self {
            op: step.op,
            kind: step.kind,
            abort: step.abort,
            vgname: step.vgname.clone(),
            lvname: step.lvname.clone(),
            asked: None,
            steps: Vec::new(),
            left_out: 0,
        }
    }

    /// Adds a step, once; returns whether it is new.
    pub fn add(&mut self, step: &Step) -> bool {
        self.asked = self.asked.take().or_else(|| step.asked.clone());
        self.add_at(step.at, &step.what)
    }

    /// Adds what happened at this time, once; returns whether it is new.
    pub fn add_at(&mut self, at: Timestamp, what: &What) -> bool {
        // Not by order: the clock may have been set back.
        if self.steps.iter().rev().any(|step| step.at == at && step.what == *what) {
            return false;
        }
        if self.steps.len() == STORY_STEPS {
            self.steps.remove(FIRST_STEPS);
            self.left_out += 1;
        }
        self.steps.push(StoryStep { at, what: what.clone() });
        true
    }

    /// Returns whether nothing more is expected to happen, apart from its result being forgotten.
    pub fn is_over(&self) -> bool {
        self.steps.last().is_some_and(|step| step.what.is_end())
    }

    /// Returns one of its steps as it is told among those of other operations.
    pub fn entry(&self, step: &StoryStep) -> Step {
        let Names { vgname, lvname } = self.names_at(step.at);
        Step {
            at: step.at,
            op: self.op,
            kind: self.kind,
            abort: self.abort,
            vgname,
            lvname,
            what: step.what.clone(),
            asked: self.asked.clone().filter(|_| step.what == What::Intended),
        }
    }

    /// Returns what VG and LV were called at this time, as far as lvpoll knew.
    fn names_at(&self, at: Timestamp) -> Names {
        let names = self.steps.iter().rev().filter(|step| step.at <= at).find_map(|step| match &step.what {
            What::Renewed { names, .. } => Some(names.clone()),
            _another_step => None,
        });
        names.unwrap_or_else(|| Names { vgname: self.vgname.clone(), lvname: self.lvname.clone() })
    }
}

impl From<Story> for OperationStory {
    fn from(story: Story) -> Self {
        let asked = story.asked.as_deref();
        let Names { vgname, lvname } = story.names_at(Timestamp::MAX);
        Self {
            id: story.op,
            kind: story.kind,
            abort: story.abort,
            asked_by: asked.and_then(|asked| asked.by.clone()),
            uid: asked.and_then(|asked| asked.uid),
            is_over: story.is_over(),
            left_out: story.left_out,
            steps: story.steps.iter().map(|step| story.entry(step).into()).collect(),
            vgname,
            lvname,
        }
    }
}
