//! A container that is made clean between two sessions is used by one session in each of its lives: only the start of another makes it
//! clean. Whatever Redis lost meanwhile: what may not be clean is made so before it is given out.

use std::collections::HashMap;

use super::{Story, Violation};
use crate::torture::history::Use;

const PROMISE: &str = "clean between two sessions";

/// Where containers have a reset: their provider can act.
const PROVIDER: &str = "farm.";

pub fn check(story: &Story) -> Vec<Violation> {
    let mut last: HashMap<(&str, u64), &Use> = HashMap::new();
    let mut violations = Vec::new();
    for one in story.uses.iter().filter(|one| one.accepted && one.container.starts_with(PROVIDER)) {
        let Some(before) = last.insert((&one.container, one.life), one) else { continue };
        if before.session != one.session {
            let evidence = format!("{one:?} after {before:?}");
            violations.push(Violation { promise: PROMISE, at: one.at, evidence });
        }
    }
    violations
}
