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

/// By tokens, each holder must have stopped before the next one knew that it holds. Each incarnation is a container of its own.
fn beliefs(story: &Story) -> Vec<Violation> {
    let mut by_container: HashMap<(&str, &str), Vec<&Hold>> = HashMap::new();
    for hold in story.holds.values() {
        by_container.entry((&hold.container, &hold.control)).or_default().push(hold);
    }
    let mut violations = Vec::new();
    for holds in by_container.values_mut() {
        holds.sort_by_key(|hold| hold.token);
        let mut longest: Option<&Hold> = None;
        for hold in holds {
            if let Some(before) = longest
                && hold.from < before.until
            {
                let evidence = format!("for {} µs: {before:?} and {hold:?}", before.until - hold.from);
                violations.push(Violation { promise: PROMISE, at: hold.from, evidence });
            }
            if longest.is_none_or(|before| before.until < hold.until) {
                longest = Some(hold);
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
