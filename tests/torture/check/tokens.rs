//! Fencing tokens grow for a container, over all its incarnations and whatever became of Redis.

use std::collections::HashMap;

use super::{Hold, Story, Violation};

const PROMISE: &str = "tokens grow";

pub fn check(story: &Story) -> Vec<Violation> {
    let mut by_container: HashMap<&str, Vec<&Hold>> = HashMap::new();
    for hold in story.holds.values() {
        by_container.entry(&hold.container).or_default().push(hold);
    }
    by_container.into_values().flat_map(of_container).collect()
}

/// Of two leases, the one that was asked for after the other was known has the higher token; and no token is there twice.
fn of_container(mut holds: Vec<&Hold>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut owners: HashMap<u64, &Hold> = HashMap::new();
    for hold in &holds {
        if let Some(twin) = owners.insert(hold.token, hold) {
            let evidence = format!("two sessions with one token: {twin:?} and {hold:?}");
            violations.push(Violation { promise: PROMISE, at: hold.from, evidence });
        }
    }
    let mut known = holds.clone();
    known.sort_by_key(|hold| hold.from);
    holds.sort_by_key(|hold| hold.asked);
    let mut known = known.into_iter().peekable();
    let mut highest: Option<&Hold> = None;
    for hold in holds {
        while let Some(before) = known.next_if(|before| before.from < hold.asked) {
            if highest.is_none_or(|highest| highest.token < before.token) {
                highest = Some(before);
            }
        }
        if let Some(before) = highest
            && before.token >= hold.token
        {
            let evidence = format!("not above an earlier one: {before:?}, then {hold:?}");
            violations.push(Violation { promise: PROMISE, at: hold.from, evidence });
        }
    }
    violations
}
