//! Pages: a method that lists things gives as many of them as fit one reply of bounded size.
//!
//! Where there are more the reply has `next_page`; the same call with that as its `page` gives them. What it says is
//! known to the service alone, which keeps nothing for it: a thing that was there all the while is told exactly once.
//!
//! ```text
//! {"method": "…List", "parameters": {}}                ->  {"parameters": {"operations": […], "next_page": "x"}}
//! {"method": "…List", "parameters": {"page": "x"}}     ->  {"parameters": {"operations": […]}}
//! ```

use serde_json::Value;

use super::message::Parameters;

use super::{Method, events, lock, metadata, poll, supervisor};

/// The parameter that says where a page begins.
pub const PAGE: &str = "page";
/// The field of a reply that says where the next page begins; absent after the last.
pub const NEXT_PAGE: &str = "next_page";

/// A method that gives pages.
pub trait Paged: Method {
    /// Adds what the next page gives to what those before it have given.
    fn join(so_far: &mut Parameters, next: Parameters) {
        append(so_far, next);
    }
}

impl Paged for poll::List {}
impl Paged for poll::Foreign {}
impl Paged for lock::Lockspaces {}
impl Paged for lock::Locks {}
impl Paged for lock::Waiters {}
impl Paged for metadata::Vgs {}
impl Paged for metadata::Pvs {}
impl Paged for metadata::Lvs {}
impl Paged for metadata::Show {}
impl Paged for metadata::Problems {}

impl Paged for poll::History {
    fn join(so_far: &mut Parameters, next: Parameters) {
        prepend(so_far, next);
    }
}

impl Paged for lock::History {
    fn join(so_far: &mut Parameters, next: Parameters) {
        prepend(so_far, next);
    }
}

impl Paged for events::Recent {
    fn join(so_far: &mut Parameters, next: Parameters) {
        prepend(so_far, next);
    }
}

impl Paged for supervisor::Tree {
    fn join(so_far: &mut Parameters, mut next: Parameters) {
        if let (Some(top), Some(more)) = (so_far.get_mut("root"), next.remove("root")) {
            join_nodes(top, more);
        }
        append(so_far, next);
    }
}

/// Pages go forwards: what comes next is put behind.
fn append(so_far: &mut Parameters, next: Parameters) {
    for (name, value) in next {
        match (so_far.get_mut(&name), value) {
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
            (_, value) => drop(so_far.insert(name, value)),
        }
    }
}

/// The latest come first: what comes next is put in front.
fn prepend(so_far: &mut Parameters, mut next: Parameters) {
    for (name, value) in &mut next {
        if let (Value::Array(older), Some(Value::Array(list))) = (value, so_far.get_mut(name)) {
            older.append(list);
        }
    }
    so_far.extend(next);
}

/// A page of a tree has the actors above those that it tells, without their other children.
fn join_nodes(node: &mut Value, more: Value) {
    let Value::Object(mut more) = more else { return };
    let Some(Value::Array(more)) = more.remove("children") else { return };
    let Some(Value::Array(children)) = node.get_mut("children") else { return };
    for child in more {
        // The pages are in order: only the last that was told can go on.
        match children.last_mut().filter(|last| last.get("name") == child.get("name")) {
            Some(last) => join_nodes(last, child),
            None => children.push(child),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn assert_joined<M: Paged>(pages: [Value; 2], whole: &Value) {
        let [mut so_far, next] = pages.map(|page| page.as_object().cloned().expect("an object"));
        M::join(&mut so_far, next);
        assert_eq!(Value::Object(so_far), *whole);
    }

    #[test]
    fn what_goes_forwards_is_put_behind_and_what_goes_back_in_front() {
        let pages = |name: &str| [json!({ name: [3, 4] }), json!({ name: [1, 2], "next_page": "x" })];
        let whole = json!({"operations": [3, 4, 1, 2], "next_page": "x"});
        assert_joined::<poll::List>(pages("operations"), &whole);
        let whole = json!({"events": [1, 2, 3, 4], "next_page": "x"});
        assert_joined::<events::Recent>(pages("events"), &whole);
        assert_joined::<poll::History>(
            [json!({"entries": []}), json!({"entries": [1]})],
            &json!({"entries": [1]}),
        );
    }

    #[test]
    fn pages_of_a_tree_become_the_tree() {
        let node = |name: &str, children: Value| json!({"name": name, "children": children});
        let a_and_its_first = node("a", json!([node("a/1", json!([]))]));
        let a_and_its_second = node("a", json!([node("a/2", json!([]))]));
        let b = node("b", json!([]));
        assert_joined::<supervisor::Tree>(
            [
                json!({"root": node("root", json!([a_and_its_first])), "next_page": "x"}),
                json!({"root": node("root", json!([a_and_its_second, b])), "next_page": "y"}),
            ],
            &json!({
                "root": node("root", json!([node("a", json!([node("a/1", json!([])), node("a/2", json!([]))])), b])),
                "next_page": "y"
            }),
        );
    }
}
