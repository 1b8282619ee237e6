//! The supervision tree, and what can be changed in it.

use std::str::FromStr;

use lvmwarden_protocol::api::supervisor::{
    Error, Exit, Node, NodeKind, NodeState, Request, Restart, SetLogLevel, Tree, TreeReply,
};
use lvmwarden_protocol::api::{CodecError, Done, Method};
use lvmwarden_supervisor::{
    ChildKind, ExitReason, GetTree, Name, NodeState as State, RestartChild, Supervisor, TreeNode,
};
use slog::info;

use super::Own;
use crate::foundation::api::outgoing::{PAGE_BYTES, PAGE_ITEMS, json_bytes};
use crate::foundation::api::replies::{Last, Replies};
use crate::foundation::api::{ANSWER_DEADLINE, Part, place, reply};

/// `org.lvmwarden.Supervisor`.
pub(super) struct Supervision(pub(super) Own);

impl Part for Supervision {
    type Request = Request;

    const WATCHING: &'static [&'static str] = &[Tree::NAME];

    async fn answer(
        &self,
        uid: u32,
        request: Request,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        match request {
            Request::Tree(asked) => self.tree(uid, asked, replies).await,
            Request::Restart(asked) => Ok(reply::<Restart, _>(self.restart(asked, uid).await).into()),
            Request::SetLogLevel(asked) => Ok(reply::<SetLogLevel, _>(self.set_log_level(asked)).into()),
        }
    }
}

impl Supervision {
    async fn tree(&self, uid: u32, asked: Tree, replies: &Replies<'_, '_>) -> Result<Last<'_>, CodecError> {
        let after = match place::<Place>(asked.page.as_deref()) {
            Ok(after) => after,
            Err(refusal) => return Ok(refusal.into()),
        };
        let look = async {
            // A picture of everything: one at a time.
            let _turn = self.0.context.outgoing.turn(uid).await;
            let picture = self.picture().await?;
            Ok(move || tree_page(picture, after.as_ref()))
        };
        self.0.context.large::<Tree, _>(uid, replies, Error::Busy, look).await
    }

    async fn restart(&self, asked: Restart, uid: u32) -> Result<Done, Error> {
        let Restart { name } = asked;
        let unknown = || Error::UnknownName { name: name.clone() };
        let picture = self.picture().await?;
        let parent = parent_of(&picture, &name).ok_or_else(unknown)?;
        let (_, escaped_id) = name.rsplit_once('/').ok_or_else(unknown)?;
        let restart = RestartChild(escaped_id.replace("%2F", "/").replace("%25", "%"));
        info!(self.0.context.log, "a client has an actor restarted"; "name" => &name, "uid" => uid);
        match self.0.context.registry.ask::<Supervisor, _>(parent, restart, ANSWER_DEADLINE).await {
            Ok(Ok(_)) => Ok(Done {}),
            Ok(Err(_gone_meanwhile)) => Err(unknown()),
            Err(_) => Err(Error::Busy),
        }
    }

    fn set_log_level(&self, asked: SetLogLevel) -> Result<Done, Error> {
        match self.0.environment.control.set_log_level(&asked.level) {
            Ok(()) => Ok(Done {}),
            Err(bad) => Err(Error::BadLevel { level: asked.level, permitted: bad.permitted }),
        }
    }

    async fn picture(&self) -> Result<TreeNode, Error> {
        let root = Name::root();
        let asked = self.0.context.registry.ask::<Supervisor, _>(&root, GetTree, ANSWER_DEADLINE);
        asked.await.map_err(|_| Error::Busy)
    }
}

/// Returns the supervisor of the actor called `name`, if there is one below `top`.
fn parent_of<'t>(top: &'t TreeNode, name: &str) -> Option<&'t Name> {
    if top.children.iter().any(|child| child.name.as_str() == name) {
        return Some(&top.name);
    }
    top.children.iter().find_map(|child| parent_of(child, name))
}

/// An actor, by its place among all from the top, each before those below it, and its name, should others have come before
/// it or have gone. Written as `NUMBER:NAME`.
struct Place {
    number: usize,
    name: String,
}

/// A text that is no place.
struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (number, name) = text.split_once(':').ok_or(NoPlace)?;
        Ok(Self { number: number.parse().map_err(|_| NoPlace)?, name: name.to_owned() })
    }
}

/// Returns the actors behind one, as many as fit, and those above them.
fn tree_page(picture: TreeNode, after: Option<&Place>) -> TreeReply {
    let mut names = Vec::new();
    list_names(&picture, &mut names);
    let first = after.map_or(0, |after| {
        let is_where_it_was = names.get(after.number).is_some_and(|name| *name == after.name);
        let now = || names.iter().position(|name| *name == after.name);
        (if is_where_it_was { Some(after.number) } else { now() }).unwrap_or(after.number) + 1
    });
    let mut cutter = Cutter { first, next: 0, left_bytes: PAGE_BYTES, left_items: PAGE_ITEMS };
    let top = bare(&picture);
    let root = cutter.cut(picture).unwrap_or(top);
    let last = cutter.next.checked_sub(1).filter(|_| cutter.next < names.len());
    TreeReply { root, next_page: last.map(|last| format!("{last}:{}", names[last])) }
}

fn list_names(node: &TreeNode, names: &mut Vec<String>) {
    names.push(node.name.to_string());
    node.children.iter().for_each(|child| list_names(child, names));
}

/// Takes actors in their order until the page is full.
struct Cutter {
    /// The first that is told.
    first: usize,
    /// The one that is looked at next; when the page is full it stays.
    next: usize,
    left_bytes: usize,
    left_items: usize,
}

impl Cutter {
    fn is_full(&self) -> bool {
        self.left_items == 0 || self.left_bytes == 0
    }

    /// Returns what of an actor and those below it is told; `None` where that is nothing.
    fn cut(&mut self, node: TreeNode) -> Option<Node> {
        if self.is_full() {
            return None;
        }
        let is_told = self.next >= self.first;
        self.next += 1;
        let mut cut = bare(&node);
        if is_told {
            self.left_bytes = self.left_bytes.saturating_sub(json_bytes(&cut));
            self.left_items -= 1;
        }
        cut.children = node.children.into_iter().filter_map(|child| self.cut(child)).collect();
        (is_told || !cut.children.is_empty()).then_some(cut)
    }
}

/// Returns an actor without those below it.
fn bare(node: &TreeNode) -> Node {
    Node {
        name: node.name.to_string(),
        kind: match node.kind {
            ChildKind::Worker => NodeKind::Worker,
            ChildKind::Supervisor => NodeKind::Supervisor,
        },
        state: match node.state {
            State::Running => NodeState::Running,
            State::Stopping => NodeState::Stopping,
            State::Restarting => NodeState::Restarting,
            State::Ended => NodeState::Ended,
            State::GivenUp => NodeState::GivenUp,
        },
        restarts: node.restarts,
        last_exit: node.last_exit.clone().map(|reason| match reason {
            ExitReason::Normal => Exit::Normal,
            ExitReason::Shutdown => Exit::Shutdown,
            ExitReason::Failed(reason) => Exit::Failed(reason),
            ExitReason::Panicked(message) => Exit::Panicked(message),
            ExitReason::Killed => Exit::Killed,
        }),
        children: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use lvmwarden_protocol::api::Paged;
    use lvmwarden_supervisor::Name;

    use super::*;

    fn picture(name: Name, children: Vec<TreeNode>) -> TreeNode {
        let (kind, state) = (ChildKind::Worker, State::Running);
        TreeNode { name, kind, state, restarts: 0, last_exit: None, children }
    }

    /// A tree with many actors below each of two supervisors.
    fn tree() -> TreeNode {
        let below = |name: Name| {
            let children =
                (0..1200).map(|number| picture(name.child(&format!("{number}")), vec![])).collect();
            picture(name, children)
        };
        let root = Name::root();
        let children = ["a", "b", "c"].map(|id| below(root.child(id))).into();
        picture(root, children)
    }

    #[test]
    fn page_by_page_the_whole_tree_is_told() {
        let whole = serde_json::to_value(tree_page_without_bounds(tree())).unwrap();
        let (mut told, mut pages, mut after) = (None, 0, None);
        loop {
            let reply = tree_page(tree(), after.as_ref());
            assert!(json_bytes(&reply) < PAGE_BYTES + 4096);
            (pages, after) = (pages + 1, reply.next_page.as_deref().and_then(|next| next.parse().ok()));
            let page = serde_json::to_value(&reply).unwrap().as_object().cloned().unwrap();
            match &mut told {
                None => told = Some(page),
                Some(told) => Tree::join(told, page),
            }
            if after.is_none() {
                break;
            }
        }
        assert_eq!(told.unwrap()["root"], whole);
        assert_eq!(pages, 4);
    }

    fn tree_page_without_bounds(picture: TreeNode) -> Node {
        Cutter { first: 0, next: 0, left_bytes: usize::MAX, left_items: usize::MAX }.cut(picture).unwrap()
    }

    #[test]
    fn the_next_page_begins_behind_the_last_actor_though_others_have_gone() {
        let mut tree = tree();
        let first = tree_page(tree.clone(), None);
        let after: Place = first.next_page.unwrap().parse().ok().unwrap();
        let expected = after.number - 1;
        tree.children[0].children.drain(..10);
        let second = tree_page(tree, Some(&after));
        let name = &second.root.children[0].children[0].name;
        assert_eq!(*name, format!("root/a/{expected}"));
    }
}
