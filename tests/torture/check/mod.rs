//! Decides, from a history alone, whether the promises held.

mod answers;
mod clean;
mod ends;
mod events;
mod holders;
mod tokens;

use std::collections::{BTreeMap, HashMap};

use super::history::{Call, End, Event, Fault, Harm, Kind, Micros, Record, Start, Use};

/// What follows from a fault shows so much later at most.
const SOON: Micros = 1_500_000;

/// A recovery may begin so long after its fault: when the replicas find the primary that was promoted.
const FAILOVER_WITHIN: Micros = 10_000_000;

/// A promise that did not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// Which promise, in a word or two.
    pub promise: &'static str,
    /// When it showed.
    pub at: Micros,
    pub evidence: String,
}

/// What the checker says of a history.
pub struct Verdict {
    pub violations: Vec<Violation>,
    /// Sessions that clients held.
    pub held: usize,
    /// How long past its time the latest of the abandoned leases ended, and how many were looked at.
    pub latest_end: Micros,
    pub abandoned: usize,
}

/// A history by kinds of records, each in the order of time.
pub struct Story {
    pub start: Start,
    pub calls: Vec<Call>,
    pub uses: Vec<Use>,
    pub faults: Vec<Fault>,
    pub events: Vec<Event>,
    pub end: End,
    /// What clients held, by session.
    pub holds: HashMap<String, Hold>,
}

/// One session's lease as its client saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Hold {
    pub session: String,
    pub target_type: String,
    pub container: String,
    pub control: String,
    pub token: u64,
    /// When it was first asked for.
    pub asked: Micros,
    /// When the client first knew that it holds: the answer was there.
    pub from: Micros,
    /// Until when it believed so: what the last renewal gave, or the moment that it gave back or heard of the end.
    pub until: Micros,
    /// When the last renewal that was answered was sent.
    pub renewed: Micros,
    /// When the lease must have ended in Redis at the latest: the last renewal's *answer*, plus what it gave. None when the client gave
    /// it back, or when an unanswered call leaves it open.
    pub over: Option<Micros>,
}

impl Story {
    /// # Errors
    /// It has no beginning or no end.
    pub fn read(records: Vec<Record>) -> Result<Self, String> {
        let (mut start, mut end) = (None, None);
        let (mut calls, mut uses, mut faults, mut events) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for record in records {
            match record {
                Record::Start(one) => start = Some(one),
                Record::Call(one) => calls.push(one),
                Record::Use(one) => uses.push(one),
                Record::Fault(one) => faults.push(one),
                Record::Event(one) => events.push(one),
                Record::End(one) => end = Some(one),
            }
        }
        let start = start.ok_or("the history has no start")?;
        let end = end.ok_or("the history has no end: the run was broken off")?;
        let holds = holds(&calls);
        Ok(Self { start, calls, uses, faults, events, end, holds })
    }

    /// Whether Redis lost what it had acknowledged between these times, or somewhat before.
    fn lost(&self, from: Micros, to: Micros) -> bool {
        self.meets(from.saturating_sub(SOON), to, |fault| fault.harm == Harm::Loses)
    }

    /// Recoveries that began though no fault had called for one.
    pub fn unexplained_recoveries(&self) -> usize {
        let explained = |seen: Micros| {
            let from = seen.saturating_sub(FAILOVER_WITHIN);
            self.meets(from, seen, |fault| fault.harm >= Harm::Recovers)
        };
        self.events.iter().filter(|event| event.kind == "recovery.began" && !explained(event.seen)).count()
    }

    /// Whether some fault of this kind was at work in this time.
    fn meets(&self, from: Micros, to: Micros, which: impl Fn(&Fault) -> bool) -> bool {
        self.faults.iter().any(|fault| fault.from <= to && fault.to >= from && which(fault))
    }
}

/// Checks everything.
pub fn check(story: &Story) -> Verdict {
    let mut violations = Vec::new();
    violations.extend(holders::check(story));
    violations.extend(tokens::check(story));
    violations.extend(clean::check(story));
    violations.extend(answers::check(story));
    violations.extend(events::check(story));
    let (late, latest_end, abandoned) = ends::abandoned(story);
    violations.extend(late);
    violations.extend(ends::left(story));
    violations.sort_by_key(|violation| violation.at);
    Verdict { violations, held: story.holds.len(), latest_end, abandoned }
}

/// What clients held, from their calls.
fn holds(calls: &[Call]) -> HashMap<String, Hold> {
    let mut holds: HashMap<String, Hold> = HashMap::new();
    let mut asked: HashMap<&str, Micros> = HashMap::new();
    let mut ends: HashMap<&str, Micros> = HashMap::new();
    let mut open: BTreeMap<&str, bool> = BTreeMap::new();
    for call in calls {
        let Some(session) = call.session.as_deref() else { continue };
        let first = asked.entry(session).or_insert(call.from);
        *first = call.from.min(*first);
        let end = ends.entry(session).or_insert(Micros::MAX);
        if call.kind == Kind::Release {
            // From here on it does not use it, whatever the answer.
            *end = call.from.min(*end);
        } else if matches!(call.status, Some(404 | 410)) {
            *end = call.to.min(*end);
        }
        let unknown = call.status.is_none_or(|status| status == 503);
        *open.entry(session).or_default() |= unknown || call.kind == Kind::Release;
        let Some(lease) = call.lease.as_ref().filter(|_| matches!(call.status, Some(200 | 201))) else { continue };
        let gave = lease.until.saturating_sub(call.from);
        let hold = holds.entry(session.to_owned()).or_insert_with(|| Hold {
            session: session.to_owned(),
            target_type: call.target_type.clone(),
            container: lease.container.clone(),
            control: lease.control.clone(),
            token: lease.token,
            asked: call.from,
            from: call.to,
            until: 0,
            renewed: 0,
            over: Some(0),
        });
        hold.from = call.to.min(hold.from);
        hold.until = lease.until.max(hold.until);
        hold.renewed = call.from.max(hold.renewed);
        hold.over = hold.over.max(Some(call.to + gave));
    }
    for (session, hold) in &mut holds {
        hold.asked = asked[session.as_str()];
        hold.until = hold.until.min(ends[session.as_str()]);
        if open[session.as_str()] {
            hold.over = None;
        }
    }
    holds
}
