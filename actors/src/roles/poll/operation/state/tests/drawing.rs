//! The drawing on top of the machine, and the words below it, name what there is.

const MACHINE: &str = include_str!("../../state.rs");

/// Returns the names of the variants of `pub enum NAME`.
fn variants(name: &str) -> Vec<&'static str> {
    let begin = format!("pub enum {name} {{\n");
    let (_, body) = MACHINE.split_once(&begin).expect("the machine has this enum");
    let (body, _) = body.split_once("\n}\n").expect("an enum ends");
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    lines
        .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
        .map(|line| line.split([' ', ',']).next().unwrap_or_default())
        .collect()
}

#[test]
fn the_drawing_and_its_words_name_every_state_and_phase() {
    let (_, drawing) = MACHINE.split_once("//! ```text\n").unwrap();
    let (drawing, _) = drawing.split_once("\nuse ").unwrap();
    let (states, phases) = (variants("State"), variants("Phase"));
    assert_eq!(states, ["Vacant", "Active", "Ended", "Collecting", "Leaving"]);
    assert_eq!(phases.len(), 11, "{phases:?}");
    // `Active` is drawn as its phases.
    for name in states.iter().chain(&phases).filter(|name| **name != "Active") {
        assert!(drawing.contains(name), "{name} is not drawn");
    }
}
