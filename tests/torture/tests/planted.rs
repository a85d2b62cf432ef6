//! The checker finds what is planted in a history, and nothing in a good one.

use std::collections::BTreeMap;

use crate::torture::{
    check::{Story, Violation, check},
    history::{Call, End, Event, Fault, FaultKind, Harm, Kind, Lease, Left, Micros, Record, Start, Use},
};

const CONTAINER: &str = "lab.one";
const CONTROL: &str = "127.0.0.1:1";

/// A history in the making: one type, one container, times in milliseconds.
struct Planted {
    records: Vec<Record>,
    epoch: u64,
    sequence: u64,
    end: End,
}

impl Planted {
    fn new() -> Self {
        let start = Start {
            seed: 1,
            topology: "single".to_owned(),
            wall: 0,
            leak_bound: 2_000_000,
            free_bound: 9_000_000,
            recovery: 5_000_000,
        };
        let sets = ["sessions", "leases", "offers", "queue", "tickets"];
        let left = Left {
            sessions: sets.map(|set| (set.to_owned(), 0)).into(),
            containers: [(CONTAINER.to_owned(), "available".to_owned())].into(),
            events: Vec::new(),
        };
        let end = End { quiet: 60_000_000, free: Some(61_000_000), types: [("wine".to_owned(), left)].into() };
        let mut planted = Self { records: vec![Record::Start(start)], epoch: 7, sequence: 0, end };
        planted.event("container.added", &[("container", CONTAINER)]);
        planted.event("container.state", &[("container", CONTAINER), ("to", "available")]);
        planted
    }

    fn call(&mut self, kind: Kind, session: &str, from: u64, to: u64, status: u16, code: &str) -> &mut Call {
        self.records.push(Record::Call(Call {
            client: 1,
            kind,
            target_type: "wine".to_owned(),
            replica: 0,
            from: from * 1000,
            to: to * 1000,
            status: Some(status),
            code: (!code.is_empty()).then(|| code.to_owned()),
            session: Some(session.to_owned()),
            key: None,
            lease: None,
        }));
        match self.records.last_mut() {
            Some(Record::Call(call)) => call,
            _ => unreachable!("it was pushed just now"),
        }
    }

    /// A grant, answered 10 ms after it was asked for, for so many ms.
    fn grant(&mut self, session: &str, token: u64, from: u64, lasts: u64) -> &mut Self {
        let fields = [("session", session), ("container", CONTAINER), ("token", &token.to_string())];
        self.event("session.ready", &fields);
        let until: Micros = (from + lasts) * 1000;
        let lease = Lease { container: CONTAINER.to_owned(), control: CONTROL.to_owned(), token, until };
        self.call(Kind::Create, session, from, from + 10, 201, "").lease = Some(lease);
        self
    }

    fn ended(&mut self, session: &str) -> &mut Self {
        self.event("session.ended", &[("session", session), ("container", CONTAINER)]);
        self
    }

    fn release(&mut self, session: &str, at: u64) -> &mut Self {
        self.ended(session).call(Kind::Release, session, at, at + 10, 200, "");
        self
    }

    fn uses(&mut self, session: &str, token: u64, at: u64, until: u64) -> &mut Self {
        self.records.push(Record::Use(Use {
            at: at * 1000,
            container: CONTAINER.to_owned(),
            control: CONTROL.to_owned(),
            life: 1,
            session: session.to_owned(),
            token,
            until: until * 1000,
            accepted: true,
        }));
        self
    }

    fn event(&mut self, kind: &str, fields: &[(&str, &str)]) {
        self.sequence += 1;
        let fields: BTreeMap<_, _> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.records.push(Record::Event(Event {
            seen: self.sequence * 1000,
            target_type: "wine".to_owned(),
            epoch: self.epoch,
            sequence: self.sequence,
            kind: kind.to_owned(),
            fields,
        }));
    }

    fn violations(&self) -> Vec<Violation> {
        let (mut records, mut end) = (self.records.clone(), self.end.clone());
        let event = |record: &Record| if let Record::Event(event) = record { Some(event.clone()) } else { None };
        end.types.get_mut("wine").expect("the type").events = records.iter().filter_map(event).collect();
        records.push(Record::End(end));
        check(&Story::read(records).expect("a whole history")).violations
    }

    /// Fails unless this promise, and no other, is found broken.
    #[track_caller]
    fn breaks(&self, promise: &str) {
        let violations = self.violations();
        assert!(!violations.is_empty(), "nothing was found");
        assert!(violations.iter().all(|violation| violation.promise == promise), "{violations:#?}");
    }
}

#[test]
fn a_good_history_has_no_violation() {
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 1000).uses("a", 1, 50, 1000).release("a", 100);
    planted.grant("b", 2, 200, 1000).uses("b", 2, 300, 1200);
    // What "a" sent before its release may arrive after it, and late.
    planted.uses("a", 1, 400, 1000).ended("b");
    planted.call(Kind::LateHeartbeat, "a", 500, 510, 410, "session_ended");
    assert_eq!(planted.violations(), []);
}

#[test]
fn two_who_believe_that_they_hold_are_found() {
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 1000).ended("a").grant("b", 2, 500, 1000).ended("b");
    planted.breaks("one holder");
}

#[test]
fn a_use_by_a_valid_holder_after_one_with_a_higher_token_is_found() {
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 1000).ended("a");
    // The other is known only by its use.
    planted.uses("b", 2, 500, 1500).uses("a", 1, 600, 1000);
    planted.breaks("one holder");
}

#[test]
fn a_renewal_counts_from_when_it_was_sent() {
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 1000);
    let lease = Lease { container: String::new(), control: String::new(), token: 1, until: 1_500_000 };
    planted.call(Kind::BatchHeartbeat, "a", 500, 900, 200, "").lease = Some(lease);
    planted.ended("a").grant("b", 2, 1495, 1000).ended("b");
    assert_eq!(planted.violations(), []);
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 1000).ended("a").grant("b", 2, 980, 1000).ended("b");
    planted.breaks("one holder");
}

#[test]
fn a_container_that_is_given_on_as_it_was_is_found_where_it_has_a_reset() {
    let given_on = |container: &str, lives: [u64; 2], fault: Option<Fault>| {
        let mut planted = Planted::new();
        planted.grant("a", 1, 0, 1000).uses("a", 1, 50, 1000).release("a", 100);
        planted.grant("b", 2, 200, 1000).uses("b", 2, 300, 1200).release("b", 400);
        planted.records.extend(fault.map(Record::Fault));
        let mut lives = lives.into_iter();
        for record in &mut planted.records {
            if let Record::Use(one) = record {
                one.container = container.to_owned();
                one.life = lives.next().expect("two uses");
            }
        }
        let violations = planted.violations();
        violations.iter().filter(|one| one.promise == "clean between two sessions").count()
    };
    assert_eq!(given_on("farm.one", [1, 1], None), 1);
    assert_eq!(given_on("farm.one", [1, 2], None), 0);
    assert_eq!(given_on(CONTAINER, [1, 1], None), 0);
    assert_eq!(given_on("farm.one", [1, 1], Some(flush(200))), 1);
}

#[test]
fn a_token_that_does_not_grow_is_found() {
    let mut planted = Planted::new();
    planted.grant("a", 5, 0, 1000).release("a", 100).grant("b", 4, 200, 1000).ended("b");
    let found = planted.violations();
    let has = |promise| found.iter().any(|violation| violation.promise == promise);
    assert!(has("tokens grow") && has("one holder in the events"), "{found:#?}");
    // They never held at the same time.
    assert!(!has("one holder"), "{found:#?}");
}

#[test]
fn two_sessions_with_one_token_are_found() {
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 100).ended("a").grant("b", 1, 500, 1000).ended("b");
    assert!(planted.violations().iter().any(|violation| violation.evidence.contains("two sessions with one token")));
}

#[test]
fn an_acknowledged_create_of_which_no_event_tells_is_found() {
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 1000).ended("a");
    let told = |record: &Record| matches!(record, Record::Event(event) if event.kind == "session.ready");
    let at = planted.records.iter().position(told).expect("the event");
    if let Record::Event(event) = &mut planted.records[at] {
        event.fields.insert("session".to_owned(), "another".to_owned());
    }
    assert!(planted.violations().iter().any(|violation| violation.promise == "acknowledged is real"));
}

#[test]
fn a_gap_in_the_events_is_found() {
    let mut planted = Planted::new();
    planted.sequence += 1;
    planted.event("container.changed", &[("container", CONTAINER)]);
    planted.breaks("gapless events");
}

#[test]
fn a_grant_in_the_events_while_another_holds_is_found() {
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 100).grant("b", 2, 500, 100).ended("a").ended("b");
    planted.breaks("one holder in the events");
}

#[test]
fn a_container_that_is_given_out_under_a_cordon_is_found() {
    let mut planted = Planted::new();
    let told = [("container", CONTAINER), ("by", "ops/key")];
    planted.event("session.offered", &[("session", "a"), ("container", CONTAINER), ("token", "1")]);
    planted.event("container.cordoned", &told);
    // It was offered before.
    planted.grant("a", 1, 0, 1000).ended("a");
    planted.event("container.uncordoned", &told);
    planted.grant("b", 2, 1500, 1000).ended("b");
    assert_eq!(planted.violations(), []);
    planted.event("container.cordoned", &told);
    planted.grant("c", 3, 3000, 1000).ended("c");
    planted.breaks("nothing is given out under a cordon");
}

#[test]
fn a_state_that_the_events_do_not_tell_is_found() {
    let mut planted = Planted::new();
    planted.event("container.state", &[("container", CONTAINER), ("to", "unhealthy")]);
    planted.breaks("events match state");
    let mut planted = Planted::new();
    planted.event("session.queued", &[("session", "a")]);
    planted.breaks("events match state");
}

#[test]
fn an_abandoned_lease_that_ends_late_is_found_unless_redis_was_away() {
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 1000).ended("a");
    if let Some(Record::Event(event)) = planted.records.last_mut() {
        event.seen = 4_100_000;
    }
    planted.breaks("leases end in time");
    let (kind, what) = (FaultKind::RedisPaused, "redis".to_owned());
    planted.records.push(Record::Fault(Fault { kind, what, from: 2_000_000, to: 3_000_000, harm: Harm::Stops }));
    assert_eq!(planted.violations(), []);
}

#[test]
fn a_container_that_is_taken_from_its_holder_is_found() {
    const ADDED: &str = "farm.wine-added-0";
    let taken = |kind: &str, fields: &[(&str, &str)], meanwhile: bool| {
        let mut planted = Planted::new();
        planted.event("session.ready", &[("session", "a"), ("container", ADDED), ("token", "1")]);
        if meanwhile {
            planted.records.push(Record::Fault(flush(0)));
            (planted.epoch, planted.sequence) = (8, 0);
        }
        planted.event(kind, fields);
        planted.violations().iter().any(|violation| violation.promise == "nothing is taken from its holder")
    };
    assert!(taken("container.taken_away", &[("container", ADDED)], false));
    let ended = |reason| [("session", "a"), ("container", ADDED), ("reason", reason)];
    assert!(taken("session.ended", &ended("container_lost"), false));
    assert!(!taken("session.ended", &ended("released"), false));
    assert!(!taken("session.ended", &ended("container_lost"), true), "its end may have been lost");
}

#[test]
fn an_abandoned_lease_that_a_failover_without_a_fault_met_is_not_timed() {
    let late = |recovery: Option<u64>| {
        let mut planted = Planted::new();
        planted.grant("a", 1, 0, 1000);
        if let Some(at) = recovery {
            (planted.epoch, planted.sequence) = (8, 0);
            planted.event("recovery.began", &[]);
            if let Some(Record::Event(event)) = planted.records.last_mut() {
                event.seen = at * 1000;
            }
        }
        planted.violations().iter().any(|violation| violation.promise == "leases end in time")
    };
    assert!(late(None));
    assert!(!late(Some(2000)));
    assert!(late(Some(20_000)), "it had long been over then");
}

#[test]
fn after_a_loss_an_offer_that_nobody_claimed_may_be_made_again_under_its_token() {
    let offer = |planted: &mut Planted, session: &str| {
        let fields = [("session", session), ("container", CONTAINER), ("token", "5")];
        planted.event("session.offered", &fields);
        planted.ended(session);
    };
    let mut planted = Planted::new();
    offer(&mut planted, "a");
    offer(&mut planted, "b");
    planted.breaks("one holder in the events");

    let mut planted = Planted::new();
    offer(&mut planted, "a");
    planted.records.push(Record::Fault(flush(0)));
    (planted.epoch, planted.sequence) = (8, 0);
    offer(&mut planted, "b");
    assert_eq!(planted.violations(), []);
    planted.grant("c", 5, 1000, 100).ended("c");
    planted.breaks("one holder in the events");
}

/// Everything is lost at this time, in milliseconds.
fn flush(at: u64) -> Fault {
    let (from, to) = (at * 1000, at * 1000 + 1000);
    Fault { kind: FaultKind::RedisFlushed, what: "redis".to_owned(), from, to, harm: Harm::Loses }
}

#[test]
fn a_loss_excuses_what_it_took_and_no_second_holder() {
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 1000).ended("a");
    planted.call(Kind::Release, "a", 500, 510, 404, "session_not_found");
    let told = |record: &Record| matches!(record, Record::Event(event) if event.kind == "session.ready");
    let at = planted.records.iter().position(told).expect("the event");
    if let Record::Event(event) = &mut planted.records[at] {
        event.kind = "container.changed".to_owned();
    }
    let found = planted.violations();
    let has = |promise| found.iter().any(|violation: &Violation| violation.promise == promise);
    assert!(has("acknowledged is real") && has("documented answers"), "{found:#?}");
    planted.records.push(Record::Fault(flush(5)));
    assert_eq!(planted.violations(), []);

    let mut planted = Planted::new();
    planted.records.push(Record::Fault(flush(5)));
    planted.grant("a", 1, 0, 1000).ended("a").grant("b", 2, 500, 1000).ended("b");
    planted.breaks("one holder");
}

#[test]
fn what_is_not_free_in_the_end_is_found() {
    let mut planted = Planted::new();
    planted.end.free = None;
    planted.breaks("all is free");
    planted.end.free = Some(80_000_000);
    planted.breaks("all is free");
    planted.end.free = Some(61_000_000);
    planted.end.types.get_mut("wine").expect("the type").sessions.insert("leases".to_owned(), 1);
    planted.breaks("all is free");
}

#[test]
fn a_recovery_that_began_late_is_waited_for_and_no_longer() {
    let free_at = |seconds: u64, began: Option<u64>| {
        let mut planted = Planted::new();
        planted.end.free = Some(seconds * 1_000_000);
        if let Some(at) = began {
            planted.event("recovery.began", &[]);
            if let Some(Record::Event(event)) = planted.records.last_mut() {
                event.seen = at * 1_000_000;
            }
        }
        planted.violations().iter().any(|violation| violation.promise == "all is free")
    };
    assert!(free_at(70, None), "9 s are the bound");
    assert!(!free_at(73, Some(58)));
    assert!(free_at(75, Some(58)));
    assert!(free_at(73, Some(50)), "that one was over");
    assert!(!free_at(76, Some(62)), "Redis came back after the last client had left");
}

#[test]
fn an_answer_that_is_not_documented_is_found() {
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 1000).ended("a");
    planted.call(Kind::Heartbeat, "a", 100, 110, 500, "internal");
    planted.breaks("documented answers");
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 1000).ended("a");
    planted.call(Kind::Heartbeat, "a", 100, 110, 409, "stale_fencing_token");
    planted.breaks("documented answers");
}

#[test]
fn one_key_for_two_sessions_is_found() {
    let mut planted = Planted::new();
    for (session, at) in [("a", 0), ("b", 200)] {
        planted.call(Kind::Create, session, at, at + 10, 202, "").key = Some("job".to_owned());
    }
    planted.breaks("one session for a key");
}

#[test]
fn a_released_session_that_lives_on_is_found() {
    let mut planted = Planted::new();
    planted.grant("a", 1, 0, 1000).release("a", 100);
    let lease = Lease { container: String::new(), control: String::new(), token: 1, until: 1_500_000 };
    planted.call(Kind::LateHeartbeat, "a", 500, 510, 200, "").lease = Some(lease);
    planted.breaks("released is over");
}
