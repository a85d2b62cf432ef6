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

/// By a fault, or by a failover of which a recovery tells: on a starved machine sentinels promote another without any fault.
fn disturbed(story: &Story, hold: &Hold, to: Micros) -> bool {
    let from = hold.renewed.saturating_sub(SOON);
    let mut events = story.events.iter().filter(|event| event.target_type == hold.target_type);
    story.meets(from, to, |fault: &Fault| fault.harm >= Harm::Stops)
        || events.any(|event| event.kind == "recovery.began" && (from..=to + SOON).contains(&event.seen))
}

/// What is not free in the end, or was late.
pub fn left(story: &Story) -> Vec<Violation> {
    let end = &story.end;
    let mut violations = Vec::new();
    let mut found = |evidence| violations.push(Violation { promise: "all is free", at: end.quiet, evidence });
    let bound = story.start.free_bound + recovery(story);
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

/// How long after the last client left a recovery may have gone on. It begins with the fault, or when Redis is found again after it:
/// a failover takes its time. A restart is taken for a loss where Redis does not say that it loses nothing.
fn recovery(story: &Story) -> Micros {
    let (quiet, lasts) = (story.end.quiet, story.start.recovery);
    let from = quiet.saturating_sub(lasts + SOON);
    let by_fault = story.meets(from, quiet, |fault| fault.harm >= Harm::Recovers).then_some(lasts);
    let began = story.events.iter().filter(|event| event.kind == "recovery.began" && event.seen >= from);
    let by_event = began.map(|event| event.seen.saturating_sub(quiet) + lasts).max();
    by_fault.max(by_event).unwrap_or(0)
}
