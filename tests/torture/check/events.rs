//! What the event streams say: without gaps, of no two holders, of every lease that a client was told of, and of what is there in the end.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Story, Violation};
use crate::torture::history::Event;

const GAPS: &str = "gapless events";
const HOLDERS: &str = "one holder in the events";
const REAL: &str = "acknowledged is real";
const MATCH: &str = "events match state";

pub fn check(story: &Story) -> Vec<Violation> {
    let mut replays: BTreeMap<&str, Replay> = BTreeMap::new();
    let mut violations = Vec::new();
    for event in &story.events {
        replays.entry(&event.target_type).or_default().take(event, &mut violations);
    }
    violations.extend(unreal(story));
    for (target_type, left) in &story.end.types {
        let replay = replays.remove(target_type.as_str()).unwrap_or_default();
        let mut differs = |evidence: String| {
            let evidence = format!("{target_type}: {evidence}");
            violations.push(Violation { promise: MATCH, at: story.end.quiet, evidence });
        };
        let (live, stored) = (replay.live.len() as u64, left.sessions.get("sessions").copied().unwrap_or(0));
        if live != stored {
            differs(format!("by the events {live} sessions live ({:?}), in Redis {stored}", replay.live));
        }
        if replay.containers != left.containers {
            differs(format!("containers by the events {:?}, in Redis {:?}", replay.containers, left.containers));
        }
    }
    violations
}

fn field<'a>(event: &'a Event, name: &str) -> &'a str {
    event.fields.get(name).map(String::as_str).unwrap_or_default()
}

/// The state of a type as its events tell it.
#[derive(Default)]
struct Replay {
    epoch: u64,
    sequence: u64,
    /// Who holds each container now.
    holders: HashMap<String, String>,
    /// The highest token of each container.
    tokens: HashMap<String, u64>,
    live: HashSet<String>,
    containers: BTreeMap<String, String>,
}

impl Replay {
    fn take(&mut self, event: &Event, violations: &mut Vec<Violation>) {
        let mut found = |promise, evidence| violations.push(Violation { promise, at: event.seen, evidence });
        let next = if event.epoch == self.epoch { self.sequence + 1 } else { 1 };
        if event.epoch < self.epoch || event.sequence != next {
            found(GAPS, format!("after {}-{} came {event:?}", self.epoch, self.sequence));
        }
        (self.epoch, self.sequence) = (event.epoch, event.sequence);
        let (session, container) = (field(event, "session"), field(event, "container"));
        match event.kind.as_str() {
            "session.queued" => {
                self.live.insert(session.to_owned());
            }
            "session.ready" | "session.offered" => {
                self.live.insert(session.to_owned());
                self.grant(event, &mut found);
                self.containers.insert(container.to_owned(), "allocated".to_owned());
            }
            "session.ended" => {
                self.live.remove(session);
                if self.holders.get(container).is_some_and(|holder| holder == session) {
                    self.holders.remove(container);
                    self.containers.insert(container.to_owned(), "available".to_owned());
                }
            }
            "container.state" => {
                self.containers.insert(container.to_owned(), field(event, "to").to_owned());
            }
            "container.removed" => {
                self.containers.remove(container);
            }
            _ => {}
        }
    }

    /// An offer that is claimed is the same lease.
    fn grant(&mut self, event: &Event, found: &mut impl FnMut(&'static str, String)) {
        let (session, container) = (field(event, "session"), field(event, "container"));
        let token: u64 = field(event, "token").parse().unwrap_or(0);
        let last = self.tokens.insert(container.to_owned(), token).unwrap_or(0);
        match self.holders.insert(container.to_owned(), session.to_owned()) {
            Some(holder) if holder == session && last == token => {}
            Some(holder) => found(HOLDERS, format!("while {holder} held {container} came {event:?}")),
            None if last >= token => found(HOLDERS, format!("the token of {container} was {last} before {event:?}")),
            None => {}
        }
    }
}

/// Leases that clients were told of and that no event tells of.
fn unreal(story: &Story) -> Vec<Violation> {
    let told: HashSet<(&str, &str, &str)> = story
        .events
        .iter()
        .filter(|event| event.kind == "session.ready")
        .map(|event| (field(event, "session"), field(event, "container"), field(event, "token")))
        .collect();
    let holds = story.holds.values();
    let unreal = holds.filter(|hold| !told.contains(&(&hold.session, &hold.container, &hold.token.to_string())));
    unreal
        .map(|hold| Violation { promise: REAL, at: hold.from, evidence: format!("no event tells of {hold:?}") })
        .collect()
}
