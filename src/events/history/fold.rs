//! What events amount to: counts by the hour, and sessions that are over.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::{
    model::{Event, HourCounts},
    store::HistoryChanges,
};

/// The seconds of an hour.
pub(super) const HOUR_SECONDS: u64 = 3600;
/// How many hours are kept: 35 days, where something happens in every one. Counted, not by the clock: one that was set
/// wrong for a moment must not make all others too old.
const HOURS_KEPT: usize = 35 * 24;

/// A session that is not over. Times in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    /// None when it came before what is known.
    arrived: Option<u64>,
    /// When it got its container.
    granted: Option<u64>,
}

/// The history of a type in memory. All times are those of events: Redis's clock, in ms.
pub(super) struct Fold {
    hours: BTreeMap<u64, HourCounts>,
    sessions: HashMap<String, Open>,
    /// Containers that a session gave back and that cannot be given out yet: since when.
    away: HashMap<String, u64>,
    /// One of them that was just removed: if it was made anew, the next event says which one it is now.
    removed: Option<(String, u64)>,
    /// How many of the sessions have a container.
    held: u64,
    changed: Changed,
}

/// What is not recorded yet.
#[derive(Default)]
struct Changed {
    hours: BTreeSet<u64>,
    /// Fields of what is unfinished, and whether they were recorded before.
    unfinished: BTreeMap<String, bool>,
    sessions: Vec<(u64, u64)>,
}

impl Fold {
    /// Goes on with what was recorded.
    pub(super) fn new(hours: BTreeMap<u64, HourCounts>, unfinished: BTreeMap<String, String>) -> Self {
        let (sessions, away) = (HashMap::new(), HashMap::new());
        let mut fold = Self { hours, sessions, away, removed: None, held: 0, changed: Changed::default() };
        fold.set_unfinished(unfinished);
        fold
    }

    /// Events are gone, in which what is unfinished may have come to its end: only this is still so.
    pub(super) fn resume(&mut self, resync: &Event, unfinished: BTreeMap<String, String>) {
        if let Some(at) = millis(&resync.at) {
            self.hour(at).gaps += 1;
        }
        self.set_unfinished(unfinished);
    }

    fn set_unfinished(&mut self, unfinished: BTreeMap<String, String>) {
        self.sessions.clear();
        self.away.clear();
        self.removed = None;
        for (field, value) in unfinished {
            if let Some(session) = field.strip_prefix("session:") {
                let mut times = value.split(' ').map(|time| time.parse().ok());
                let mut next = || times.next().flatten();
                self.sessions.insert(session.to_owned(), Open { arrived: next(), granted: next() });
            } else if let (Some(container), Ok(since)) = (field.strip_prefix("container:"), value.parse()) {
                self.away.insert(container.to_owned(), since);
            }
        }
        self.held = self.sessions.values().filter(|open| open.granted.is_some()).count() as u64;
    }

    /// Counts an event.
    pub(super) fn take(&mut self, event: &Event) {
        let Some(at) = millis(&event.at) else { return };
        let (session, container) = (event.text("session"), event.text("container"));
        match (event.kind.as_str(), session, container) {
            ("session.queued", Some(session), _) => self.arrived(at, session),
            ("session.ready", Some(session), container) => self.granted(at, session, container, true),
            ("session.offered" | "session.adopted", Some(session), container) => {
                self.granted(at, session, container, false);
            }
            ("session.ended", Some(session), _) => self.ended(at, session),
            ("container.state", _, Some(container)) => {
                self.moved(at, container, event.text("from").unwrap_or_default(), event.text("to").unwrap_or_default());
            }
            ("container.removed", _, Some(container)) => {
                self.removed = self.take_away(container).map(|since| (container.to_owned(), since));
            }
            ("container.recreated", _, Some(container)) => {
                if let Some((removed, since)) = self.removed.take()
                    && event.text("replaces") == Some(removed.as_str())
                {
                    self.set_away(container, since);
                }
            }
            // How long it takes to mend says nothing of how long it takes to be made clean.
            ("container.quarantined" | "container.reset_failed", _, Some(container)) => {
                self.take_away(container);
            }
            _ => {}
        }
    }

    fn arrived(&mut self, at: u64, session: &str) {
        self.hour(at).arrivals += 1;
        self.set(session, Open { arrived: Some(at), granted: None });
    }

    /// `made`: one that was not known is made now, and did not wait.
    fn granted(&mut self, at: u64, session: &str, container: Option<&str>, made: bool) {
        if let Some(container) = container {
            self.take_away(container);
        }
        let open = match self.sessions.get(session).copied() {
            // It was offered before, or the loss of Redis changed nothing for it.
            Some(Open { granted: Some(_), .. }) => return,
            Some(open) => {
                if let Some(arrived) = open.arrived {
                    let waited = at.saturating_sub(arrived);
                    let hour = self.hour(at);
                    hour.waited += 1;
                    hour.wait_ms += waited;
                    hour.waits.count(waited);
                }
                open
            }
            None if made => {
                let hour = self.hour(at);
                hour.arrivals += 1;
                hour.at_once += 1;
                Open { arrived: Some(at), granted: None }
            }
            None => Open { arrived: None, granted: None },
        };
        self.set(session, Open { granted: Some(at), ..open });
        self.held += 1;
        self.note_held(at);
    }

    fn ended(&mut self, at: u64, session: &str) {
        // What is not known came before what is known, and was not counted then either.
        let Some(open) = self.sessions.get(session).copied() else { return };
        match (open.arrived, open.granted) {
            (Some(arrived), Some(granted)) => {
                let held = at.saturating_sub(granted);
                let hour = self.hour(at);
                hour.ended += 1;
                hour.held_ms += held;
                hour.holds.count(held);
                self.changed.sessions.push((arrived, held));
            }
            (Some(_), None) => self.hour(at).gave_up += 1,
            (None, _) => {}
        }
        if open.granted.is_some() {
            // Before it ended: an hour that begins with an end began with so many.
            self.note_held(at);
            self.held -= 1;
        }
        self.touch(format!("session:{session}"), true);
        self.sessions.remove(session);
    }

    fn moved(&mut self, at: u64, container: &str, from: &str, to: &str) {
        if from == "allocated" && matches!(to, "resetting" | "initializing") {
            self.set_away(container, at);
        } else if to == "available"
            && let Some(since) = self.take_away(container)
        {
            let hour = self.hour(at);
            hour.returned += 1;
            hour.away_ms += at.saturating_sub(since);
        }
    }

    fn note_held(&mut self, at: u64) {
        let held = self.held;
        let hour = self.hour(at);
        hour.most_held = hour.most_held.max(held);
    }

    fn set(&mut self, session: &str, open: Open) {
        self.touch(format!("session:{session}"), self.sessions.contains_key(session));
        self.sessions.insert(session.to_owned(), open);
    }

    fn set_away(&mut self, container: &str, since: u64) {
        self.touch(format!("container:{container}"), self.away.contains_key(container));
        self.away.insert(container.to_owned(), since);
    }

    fn take_away(&mut self, container: &str) -> Option<u64> {
        let since = self.away.remove(container)?;
        self.touch(format!("container:{container}"), true);
        Some(since)
    }

    /// `known`: it was there before. What came since the last record, and goes before the next, is recorded never.
    fn touch(&mut self, field: String, known: bool) {
        self.changed.unfinished.entry(field).or_insert(known);
    }

    fn hour(&mut self, at: u64) -> &mut HourCounts {
        let hour = at / (HOUR_SECONDS * 1000);
        self.changed.hours.insert(hour);
        self.hours.entry(hour).or_default()
    }

    /// What is to be recorded since this was asked for last.
    pub(super) fn changes(&mut self) -> HistoryChanges {
        let changed = std::mem::take(&mut self.changed);
        let mut hours: BTreeMap<_, _> =
            changed.hours.into_iter().map(|hour| (hour, self.hours.get(&hour).cloned())).collect();
        while self.hours.len() > HOURS_KEPT
            && let Some((oldest, _)) = self.hours.pop_first()
        {
            hours.insert(oldest, None);
        }
        let unfinished = changed.unfinished.into_iter().filter_map(|(field, recorded)| {
            let value = self.unfinished(&field);
            (recorded || value.is_some()).then_some((field, value))
        });
        HistoryChanges { unfinished: unfinished.collect(), hours, sessions: changed.sessions }
    }

    fn unfinished(&self, field: &str) -> Option<String> {
        let time = |time: Option<u64>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        if let Some(session) = field.strip_prefix("session:") {
            return self.sessions.get(session).map(|open| format!("{} {}", time(open.arrived), time(open.granted)));
        }
        self.away.get(field.strip_prefix("container:")?).map(ToString::to_string)
    }
}

fn millis(text: &str) -> Option<u64> {
    let time: Timestamp = text.parse().ok()?;
    u64::try_from(time.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    /// When the events of the tests begin.
    const BEGIN: u64 = 498_733 * HOUR_MS;

    fn event(after: u64, kind: &str, data: &Value) -> Event {
        let at = Timestamp::from_millisecond((BEGIN + after).cast_signed()).unwrap();
        let data = data.as_object().cloned().unwrap();
        let (id, target_type, kind) = (String::new(), "wine".parse().unwrap(), kind.to_owned());
        Event { id, target_type, kind, at: format!("{at:.3}"), data }
    }

    fn session(after: u64, kind: &str, session: &str, container: &str) -> Event {
        event(after, &format!("session.{kind}"), &json!({"session": session, "container": container}))
    }

    fn state(after: u64, container: &str, from: &str, to: &str) -> Event {
        event(after, "container.state", &json!({"container": container, "from": from, "to": to}))
    }

    fn empty() -> Fold {
        Fold::new(BTreeMap::new(), BTreeMap::new())
    }

    fn folded(events: &[Event]) -> Fold {
        let mut fold = empty();
        for event in events {
            fold.take(event);
        }
        fold
    }

    /// Recorded, and read by another replica.
    fn handed_on(fold: &mut Fold, unfinished: &mut BTreeMap<String, String>) -> (Fold, HistoryChanges) {
        let changes = fold.changes();
        for (field, value) in changes.unfinished.clone() {
            match value {
                Some(value) => drop(unfinished.insert(field, value)),
                None => assert!(unfinished.remove(&field).is_some(), "{field} was never recorded"),
            }
        }
        (Fold::new(fold.hours.clone(), unfinished.clone()), changes)
    }

    fn a_morning() -> Vec<Event> {
        vec![
            session(0, "ready", "a", "one"),
            session(1_000, "queued", "b", ""),
            session(2_000, "queued", "c", ""),
            session(3_000, "queued", "d", ""),
            session(5_000, "ended", "d", ""),
            session(60_000, "ended", "a", "one"),
            state(60_000, "one", "allocated", "resetting"),
            state(70_000, "one", "resetting", "initializing"),
            state(75_000, "one", "initializing", "available"),
            session(75_000, "offered", "b", "one"),
            session(75_500, "ready", "b", "one"),
            session(75_600, "offered", "c", "two"),
            session(HOUR_MS, "ended", "b", "one"),
            session(HOUR_MS + 100, "ended", "c", "two"),
        ]
    }

    #[test]
    fn an_hour_counts_who_came_waited_left_and_ended() {
        let fold = folded(&a_morning());
        let (first, second) = (&fold.hours[&498_733], &fold.hours[&498_734]);
        assert_eq!((first.arrivals, first.at_once, first.waited, first.gave_up, first.ended), (4, 1, 2, 1, 1));
        assert_eq!((first.wait_ms, first.held_ms, first.most_held), (74_000 + 73_600, 60_000, 2));
        assert_eq!((first.returned, first.away_ms), (1, 15_000));
        assert_eq!((second.arrivals, second.ended, second.held_ms, second.most_held), (0, 2, 7_049_500, 2));
        assert_eq!(fold.held, 0);
    }

    #[test]
    fn a_replica_that_goes_on_from_what_another_recorded_counts_the_same() {
        let (mut fold, mut unfinished, mut sessions) = (empty(), BTreeMap::new(), Vec::new());
        for event in a_morning() {
            fold.take(&event);
            let changes;
            (fold, changes) = handed_on(&mut fold, &mut unfinished);
            sessions.extend(changes.sessions);
        }
        let mut at_once = folded(&a_morning());
        assert_eq!(fold.hours, at_once.hours);
        let changes = at_once.changes();
        assert_eq!(sessions, changes.sessions);
        assert_eq!(sessions, [(BEGIN, 60_000), (BEGIN + 1_000, 3_525_000), (BEGIN + 2_000, 3_524_500)]);
        // What came and went between two records is never recorded as unfinished.
        assert_eq!((changes.unfinished, unfinished), (BTreeMap::new(), BTreeMap::new()));
    }

    #[test]
    fn what_was_lost_in_a_gap_is_not_guessed() {
        let mut fold = folded(&[session(0, "ready", "a", "one"), session(0, "ready", "b", "two")]);
        let mut unfinished = BTreeMap::new();
        let (_, _) = handed_on(&mut fold, &mut unfinished);
        unfinished.remove("session:a");
        fold.resume(&event(9_000, "resync", &json!({})), unfinished);
        assert_eq!(fold.held, 1);
        // Its end is told after all; and one came in the gap.
        fold.take(&session(10_000, "ended", "a", "one"));
        fold.take(&session(10_000, "ended", "c", "three"));
        fold.take(&session(20_000, "ended", "b", "two"));
        let hour = &fold.hours[&498_733];
        assert_eq!((hour.gaps, hour.ended, hour.held_ms, fold.held), (1, 1, 20_000, 0));
    }

    #[test]
    fn a_lease_that_was_taken_up_again_counts_as_held_and_its_time_is_not_known() {
        let mut fold = folded(&[session(0, "adopted", "a", "one"), session(9, "ended", "a", "one")]);
        let hour = &fold.hours[&498_733];
        assert_eq!((hour.arrivals, hour.ended, hour.most_held), (0, 0, 1));
        assert_eq!(fold.changes().sessions, []);
        // One that was known goes on.
        let known =
            [session(0, "ready", "a", "one"), session(5, "adopted", "a", "one"), session(9, "ended", "a", "one")];
        assert_eq!(folded(&known).changes().sessions, [(BEGIN, 9)]);
    }

    #[test]
    fn a_container_that_is_made_anew_is_away_until_the_new_one_is_there() {
        let fold = folded(&[
            session(0, "ready", "a", "old"),
            session(1_000, "ended", "a", "old"),
            state(1_000, "old", "allocated", "resetting"),
            event(9_000, "container.removed", &json!({"container": "old"})),
            event(9_000, "container.recreated", &json!({"container": "new", "replaces": "old"})),
            state(9_500, "new", "initializing", "available"),
        ]);
        assert_eq!((fold.hours[&498_733].returned, fold.hours[&498_733].away_ms), (1, 8_500));
    }

    #[test]
    fn a_container_that_fails_is_not_taken_for_one_that_is_made_clean() {
        let away = [
            session(0, "ready", "a", "one"),
            session(1, "ended", "a", "one"),
            state(1, "one", "allocated", "resetting"),
        ];
        for kind in ["container.quarantined", "container.reset_failed", "container.removed"] {
            let mut fold = folded(&away);
            fold.take(&event(5, kind, &json!({"container": "one"})));
            fold.take(&state(99, "one", "unhealthy", "available"));
            assert_eq!(fold.hours[&498_733].returned, 0, "{kind}");
        }
        let mut fold = folded(&[session(0, "ready", "a", "one"), state(1, "one", "allocated", "unhealthy")]);
        fold.take(&state(99, "one", "unhealthy", "available"));
        assert_eq!(fold.hours[&498_733].returned, 0);
    }

    #[test]
    fn the_oldest_hours_are_forgotten_and_a_clock_that_was_set_wrong_forgets_no_more() {
        let mut fold = empty();
        for hour in 0..900 {
            fold.take(&session(hour * HOUR_MS, "queued", "a", ""));
        }
        let forgotten = fold.changes().hours.into_iter().filter(|(_, counts)| counts.is_none()).count();
        assert_eq!((forgotten, fold.hours.len()), (60, 840));
        fold.take(&session(900_000 * HOUR_MS, "queued", "a", ""));
        let changes = fold.changes();
        assert_eq!(changes.hours.iter().filter(|(_, counts)| counts.is_none()).count(), 1);
        assert_eq!(fold.hours.len(), 840);
    }

    #[test]
    fn what_is_no_event_of_these_counts_for_nothing() {
        let mut fold = folded(&[
            event(0, "type.changed", &json!({})),
            event(0, "session.ended", &json!({"session": "never seen"})),
            event(0, "session.queued", &json!({})),
        ]);
        let mut bad = session(0, "queued", "a", "");
        bad.at = "noon".to_owned();
        fold.take(&bad);
        assert_eq!(fold.changes(), HistoryChanges::default());
    }
}
