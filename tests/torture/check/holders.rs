//! At most one valid holder of a container at any time: by what clients believed with right, and by what the container itself saw.

use std::collections::HashMap;

use super::{Hold, Story, Violation};
use crate::torture::history::Use;

const PROMISE: &str = "one holder";

pub fn check(story: &Story) -> Vec<Violation> {
    let mut violations = beliefs(story);
    violations.extend(uses(story));
    violations
}

/// Of two holders, the one with the lower token must have stopped before the other knew that it holds. Each incarnation is a container of its
/// own. One that came when the other was gone is for the check of tokens.
fn beliefs(story: &Story) -> Vec<Violation> {
    let mut by_container: HashMap<(&str, &str), Vec<&Hold>> = HashMap::new();
    for hold in story.holds.values() {
        by_container.entry((&hold.container, &hold.control)).or_default().push(hold);
    }
    let mut violations = Vec::new();
    for holds in by_container.values_mut() {
        holds.sort_by_key(|hold| hold.token);
        for (at, hold) in holds.iter().enumerate() {
            for before in holds[..at].iter().filter(|before| hold.from < before.until && before.from < hold.until) {
                let evidence = format!("for {} µs: {before:?} and {hold:?}", before.until - hold.from);
                violations.push(Violation { promise: PROMISE, at: hold.from, evidence });
            }
        }
    }
    violations
}

/// No container is used under a token below the highest that it saw, by one who is still its holder as far as it can know.
fn uses(story: &Story) -> Vec<Violation> {
    let mut highest: HashMap<(&str, &str), &Use> = HashMap::new();
    let mut violations = Vec::new();
    for one in &story.uses {
        // It may have arrived after its sender gave up.
        let until = story.holds.get(&one.session).map_or(one.until, |hold| hold.until);
        let last = highest.entry((&one.container, &one.control)).or_insert(one);
        if one.token < last.token && one.at < one.until.min(until) {
            let evidence = format!("{one:?} after {last:?}");
            violations.push(Violation { promise: PROMISE, at: one.at, evidence });
        }
        if one.token > last.token {
            *last = one;
        }
    }
    violations
}
