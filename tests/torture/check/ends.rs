//! Nothing is leaked: abandoned leases end in time, and in the end everything is free.

use std::collections::HashMap;

use super::{Hold, SOON, Story, Violation};
use crate::torture::history::{Fault, Harm, Micros};

/// An event is read at most so long after it was written, unless Redis was away.
const READ_WITHIN: Micros = 1_000_000;

/// The abandoned leases that ended too late, how late the latest was, and how many were looked at: those in whose time Redis worked, and
/// whose every call was answered.
pub fn abandoned(story: &Story) -> (Vec<Violation>, Micros, usize) {
    let ended: HashMap<&str, Micros> = story
        .events
        .iter()
        .filter(|event| event.kind == "session.ended")
        .filter_map(|event| Some((event.fields.get("session")?.as_str(), event.seen)))
        .collect();
    let bound = story.start.leak_bound + READ_WITHIN;
    let (mut violations, mut latest, mut looked_at) = (Vec::new(), 0, 0);
    for hold in story.holds.values() {
        let Some(over) = hold.over else { continue };
        if over + bound > story.end.quiet || disturbed(story, hold, over + bound) {
            continue;
        }
        looked_at += 1;
        let late = ended.get(hold.session.as_str()).map(|at| at.saturating_sub(over));
        latest = latest.max(late.unwrap_or(0));
        if late.is_none_or(|late| late > bound) {
            let evidence = format!("{late:?} µs after its time, at most {bound}: {hold:?}");
            violations.push(Violation { promise: "leases end in time", at: over, evidence });
        }
    }
    (violations, latest, looked_at)
}

fn disturbed(story: &Story, hold: &Hold, to: Micros) -> bool {
    story.meets(hold.renewed.saturating_sub(SOON), to, |fault: &Fault| fault.harm >= Harm::Stops)
}

/// What is not free in the end, or was late.
pub fn left(story: &Story) -> Vec<Violation> {
    let end = &story.end;
    let mut violations = Vec::new();
    let mut found = |evidence| violations.push(Violation { promise: "all is free", at: end.quiet, evidence });
    // A restart is taken for a loss where Redis does not say that it loses nothing.
    let recovers = story
        .meets(end.quiet.saturating_sub(story.start.recovery + SOON), end.quiet, |fault| fault.harm >= Harm::Recovers);
    let bound = story.start.free_bound + if recovers { story.start.recovery } else { 0 };
    match end.free {
        None => found("never, for as long as it was watched".to_owned()),
        Some(free) if free - end.quiet > bound => {
            found(format!("only after {} µs, at most {bound}", free - end.quiet));
        }
        Some(_) => {}
    }
    for (target_type, left) in &end.types {
        for (set, count) in left.sessions.iter().filter(|(_, count)| **count > 0) {
            found(format!("{count} left in {set} of {target_type}"));
        }
        for (container, set) in left.containers.iter().filter(|(_, set)| *set != "available") {
            found(format!("{container} of {target_type} is in {set}"));
        }
    }
    violations
}
