//! What the event streams say: without gaps, of no two holders, of nothing that is given
//! out under a cordon, of every lease that a client was told of, and of what is there in the end.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Hold, SOON, Story, Violation};
use crate::torture::{
    farm::ADDED,
    history::{Event, Harm},
};

const GAPS: &str = "gapless events";
const HOLDERS: &str = "one holder in the events";
const CORDONS: &str = "nothing is given out under a cordon";
const TAKEN: &str = "nothing is taken from its holder";
const REAL: &str = "acknowledged is real";
const MATCH: &str = "events match state";

pub fn check(story: &Story) -> Vec<Violation> {
    let losses = story.faults.iter().any(|fault| fault.harm == Harm::Loses);
    let mut violations = Vec::new();
    let mut replays: BTreeMap<&str, Replay> = BTreeMap::new();
    for event in &story.events {
        let replay = replays.entry(&event.target_type).or_default();
        if losses && event.epoch != replay.epoch {
            // The ends of some leases may be among what was lost, and offers of which nobody ever heard.
            replay.holders.clear();
            replay.offered.clear();
            replay.cordoned.clear();
        }
        replay.take(event, &mut violations);
    }
    violations.extend(unreal(story));
    for (target_type, left) in &story.end.types {
        // What was lost is neither in the stream nor in the sets.
        let mut replay = Replay::default();
        for event in &left.events {
            replay.take(event, &mut Vec::new());
        }
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
    /// The epoch in which each container was given to somebody last.
    granted: HashMap<String, u64>,
    /// The highest token of each container, and whose it was: of a lease, and of an offer that was perhaps not claimed.
    leased: HashMap<String, (u64, String)>,
    offered: HashMap<String, (u64, String)>,
    live: HashSet<String>,
    cordoned: HashSet<String>,
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
            "session.ready" | "session.offered" | "session.adopted" => {
                self.live.insert(session.to_owned());
                self.grant(event, &mut found);
                self.containers.insert(container.to_owned(), "allocated".to_owned());
            }
            "session.ended" => {
                self.live.remove(session);
                // Only the scaler removes what it added. From an earlier epoch, the end of the lease may be what was lost.
                let lost = container.contains(ADDED) && field(event, "reason") == "container_lost";
                if lost && self.granted.get(container) == Some(&event.epoch) {
                    found(TAKEN, format!("{event:?}"));
                }
                if self.holders.get(container).is_some_and(|holder| holder == session) {
                    self.holders.remove(container);
                    self.containers.insert(container.to_owned(), "available".to_owned());
                }
            }
            "container.state" => {
                self.containers.insert(container.to_owned(), field(event, "to").to_owned());
            }
            "container.cordoned" => {
                self.cordoned.insert(container.to_owned());
            }
            "container.uncordoned" => {
                self.cordoned.remove(container);
            }
            "container.taken_away" => {
                if let Some(holder) = self.holders.get(container) {
                    found(TAKEN, format!("while {holder} held it: {event:?}"));
                }
            }
            "container.removed" => {
                self.cordoned.remove(container);
                self.containers.remove(container);
            }
            _ => {}
        }
    }

    /// An offer that is claimed, and a lease that is taken up again after a loss, is the same lease.
    fn grant(&mut self, event: &Event, found: &mut impl FnMut(&'static str, String)) {
        let (session, container) = (field(event, "session"), field(event, "container"));
        let token: u64 = field(event, "token").parse().unwrap_or(0);
        let holder = self.holders.insert(container.to_owned(), session.to_owned());
        if event.kind != "session.adopted" {
            self.granted.insert(container.to_owned(), event.epoch);
        }
        // What was offered before may be claimed.
        let new = event.kind != "session.adopted" && holder.as_deref() != Some(session);
        if new && self.cordoned.contains(container) {
            found(CORDONS, format!("{event:?}"));
        }
        if let Some(holder) = holder.filter(|holder| holder != session) {
            found(HOLDERS, format!("while {holder} held {container} came {event:?}"));
        }
        let last = |tokens: &HashMap<String, (u64, String)>| tokens.get(container).cloned().unwrap_or_default();
        let (last, whose) = last(&self.leased).max(last(&self.offered));
        if token > last || (token == last && whose == session) {
            let tokens = if event.kind == "session.offered" { &mut self.offered } else { &mut self.leased };
            tokens.insert(container.to_owned(), (token, session.to_owned()));
        } else if event.kind != "session.adopted" {
            found(HOLDERS, format!("the token of {container} was {last}, of {whose}, before {event:?}"));
        }
    }
}

/// Leases that clients were told of and that no event tells of.
fn unreal(story: &Story) -> Vec<Violation> {
    let told: HashSet<(&str, &str, &str)> = story
        .events
        .iter()
        .filter(|event| matches!(event.kind.as_str(), "session.ready" | "session.adopted"))
        .map(|event| (field(event, "session"), field(event, "container"), field(event, "token")))
        .collect();
    let holds = story.holds.values();
    let told = |hold: &&Hold| told.contains(&(&hold.session, &hold.container, &hold.token.to_string()));
    // What is lost before it was read is in no history.
    let unreal = holds.filter(|hold| !told(hold) && !story.lost(hold.asked, hold.from + SOON));
    unreal
        .map(|hold| Violation { promise: REAL, at: hold.from, evidence: format!("no event tells of {hold:?}") })
        .collect()
}
