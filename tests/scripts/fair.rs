//! The line between owners: turns, weights, what a cancel gives back, head starts that age.

use std::{collections::BTreeMap, time::Duration};

use leasehold::{
    model::{EndReason, OwnerName, Session, SessionId, Share},
    store::{Allocated, Allocation, Beat, Polled},
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use super::Bench;

/// The highest `priority` of these tests.
const HEAD_START_MOST: u32 = 300;

/// A line for one container.
struct Line {
    bench: Bench,
    owners: BTreeMap<SessionId, OwnerName>,
    holder: SessionId,
}

impl Line {
    async fn new() -> Self {
        let bench = Bench::with(|config| {
            config.limits.ticket_life = Duration::from_hours(1);
            config.limits.wait_max = Duration::from_hours(10);
            config.limits.confirm = Duration::from_hours(1);
        });
        bench.containers(&["one"]).await;
        let holder = bench.ready().await.id;
        Self { bench, owners: BTreeMap::new(), holder }
    }

    /// Makes sessions last so long, by all that the line knows.
    fn sessions_last(&self, seconds: u64) {
        let key = self.bench.key("epoch");
        let hold = seconds * 1000;
        let _: i64 = redis::cmd("HSET").arg(key).arg("hold").arg(hold).query(&mut self.bench.redis.conn()).unwrap();
    }

    async fn join(&mut self, owner: &str, weight: u32, priority: u32) -> Session {
        let name: OwnerName = owner.parse().unwrap();
        let share = Share { weight, ..Share::default() };
        let made = self
            .bench
            .store
            .allocate(
                &self.bench.wine,
                &Allocation {
                    owner: &name,
                    wait: true,
                    priority,
                    share,
                    ..self.bench.allocation(SessionId::new(&self.bench.wine))
                },
            )
            .await
            .unwrap();
        let Allocated::Queued(session) = made else { panic!("not queued: {made:?}") };
        self.owners.insert(session.id, name);
        session
    }

    async fn position(&self, id: SessionId) -> u64 {
        match self.bench.store.poll(&self.bench.wine, id, Some(&self.owners[&id]), false, false, None).await.unwrap() {
            Polled::Session(session) => session.ticket.expect("it waits").position,
            other => panic!("{other:?}"),
        }
    }

    /// Gives the container back; who is next.
    async fn serve(&mut self) -> SessionId {
        let store = &self.bench.store;
        store.release(&self.bench.wine, self.holder, None, None, EndReason::Released).await.unwrap();
        let next: SessionId = self.bench.members("offers").first().expect("somebody waits").parse().unwrap();
        store.poll(&self.bench.wine, next, Some(&self.owners[&next]), false, false, None).await.unwrap();
        self.holder = next;
        next
    }

    async fn cancel(&self, id: SessionId) {
        self.bench.store.release(&self.bench.wine, id, None, None, EndReason::Released).await.unwrap();
    }
}

#[tokio::test]
async fn case_15_pain_head_of_line_blocking_a_burst_of_one_owner_does_not_delay_another() {
    let mut line = Line::new().await;
    for _ in 0..1000 {
        line.join("busy", 1, 0).await;
    }
    let other = line.join("other", 1, 0).await;
    let ticket = other.ticket.unwrap();
    assert_eq!(ticket.position, 2, "behind the one ticket whose turn it is");
    line.serve().await;
    assert_eq!(line.serve().await, other.id);
    // Whoever comes later is not behind the 998 either, however long they have stood there.
    line.bench.pass(Duration::from_mins(30));
    let late = line.join("late", 1, 0).await;
    assert!(late.ticket.unwrap().position <= 2);
}

#[tokio::test]
async fn case_15_cancelled_tickets_cost_their_owner_s_next_one_nothing() {
    let mut line = Line::new().await;
    line.join("first", 1, 0).await;
    let mut cancelled = Vec::new();
    for _ in 0..999 {
        cancelled.push(line.join("busy", 1, 0).await.id);
    }
    for id in cancelled {
        line.cancel(id).await;
    }
    let next = line.join("busy", 1, 0).await;
    let other = line.join("other", 1, 0).await;
    assert_eq!((next.ticket.unwrap().position, other.ticket.unwrap().position), (2, 3));
    assert_eq!(line.bench.members("line:busy"), [next.id.to_string()]);
}

#[tokio::test]
async fn case_15_owners_are_served_in_turn_and_by_weight() {
    let mut line = Line::new().await;
    let weights = [("one", 1), ("two", 2), ("three", 3)];
    for (owner, weight) in weights {
        for _ in 0..40 {
            line.join(owner, weight, 0).await;
        }
    }
    let mut served = BTreeMap::new();
    for _ in 0..60 {
        let next = line.serve().await;
        *served.entry(line.owners[&next].to_string()).or_insert(0) += 1;
    }
    let of = |owner: &str| served.get(owner).copied().unwrap_or(0);
    assert!((8..=12).contains(&of("one")), "{served:?}");
    assert!((18..=22).contains(&of("two")) && (28..=32).contains(&of("three")), "{served:?}");
}

#[tokio::test]
async fn case_15_priority_is_worth_its_seconds_also_between_owners() {
    let mut line = Line::new().await;
    line.sessions_last(120);
    let old = line.join("patient", 1, 0).await;
    line.bench.pass(Duration::from_secs(20));
    let urgent = line.join("urgent", 1, 10).await;
    assert_eq!(urgent.ticket.unwrap().position, 2, "ten seconds do not make up for twenty");
    let urgent = line.join("other", 1, 60).await;
    assert_eq!(urgent.ticket.unwrap().position, 1);
    assert_eq!(line.position(old.id).await, 2);
}

#[tokio::test]
async fn a_line_that_was_empty_begins_anew() {
    let mut line = Line::new().await;
    for _ in 0..20 {
        line.join("busy", 1, 0).await;
    }
    for _ in 0..20 {
        line.serve().await;
    }
    assert!(line.bench.members("queue").is_empty());
    let again = line.join("busy", 1, 0).await;
    line.join("other", 1, 0).await;
    assert_eq!(line.position(again.id).await, 1, "nobody was kept waiting by what it had before");
    assert_eq!(line.bench.members("fair").len(), 2);
}

/// What happens around a ticket: who comes with which head start, then how long until the next is served.
fn crowd() -> impl Strategy<Value = Vec<(usize, u32, u64)>> {
    vec((0..RIVALS.len(), 0..=HEAD_START_MOST, 0..8u64), 30..120)
}

/// The others, with their weights.
const RIVALS: [(&str, u32); 3] = [("one", 1), ("two", 2), ("three", 1)];

#[test]
fn case_15_no_ticket_starves() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = proptest::test_runner::Config {
        failure_persistence: None,
        cases: 20,
        ..proptest::test_runner::Config::default()
    };
    let outcome = TestRunner::new(config).run(&(crowd(), 0..20usize, any::<bool>()), |(crowd, before, one_each)| {
        runtime.block_on(starve(&crowd, before, one_each));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Others join before each grant, all that they may, so that the line never ends; a ticket among them, of no priority, is
/// served all the same: each of its rivals can pass it by a head start only until its own turns have used it up. `one_each`:
/// they come again only when they were served.
async fn starve(crowd: &[(usize, u32, u64)], before: usize, one_each: bool) {
    const HOLD: u64 = 60;
    let mut line = Line::new().await;
    line.sessions_last(HOLD);
    for (rival, priority, _) in crowd.iter().cycle().take(before) {
        let (owner, weight) = RIVALS[*rival];
        line.join(owner, weight, *priority).await;
    }
    let patient = line.join("patient", 1, 0).await.id;
    // A step is `HOLD` here, and the ticket stands at most one behind what was served.
    let turns = (u64::from(HEAD_START_MOST) + HOLD) / HOLD + 2;
    let most: u64 = RIVALS.iter().map(|(_, weight)| turns * u64::from(*weight)).sum();
    let mut served = 0;
    for (rival, priority, pause) in crowd.iter().cycle() {
        line.sessions_last(HOLD);
        if !one_each {
            let (owner, weight) = RIVALS[*rival];
            line.join(owner, weight, *priority).await;
        }
        for (owner, weight) in RIVALS {
            if !one_each || line.bench.members(&format!("line:{owner}")).is_empty() {
                line.join(owner, weight, HEAD_START_MOST).await;
            }
        }
        line.bench.pass(Duration::from_secs(*pause));
        // What keeps a lease alive meanwhile is not what this is about.
        let beat = Beat::new(line.holder, None);
        line.bench.store.heartbeat(&line.bench.wine, None, true, &[beat]).await.unwrap();
        if line.serve().await == patient {
            return;
        }
        served += 1;
        assert!(served <= most, "{served} were served before it, and {most} may be");
    }
}

#[tokio::test]
async fn tickets_that_join_at_once_are_in_the_order_of_their_arrival() {
    let mut line = Line::new().await;
    let mut joined = Vec::new();
    for number in 0..50 {
        joined.push(line.join(&format!("owner-{number}"), 1, 0).await.id.to_string());
    }
    assert_eq!(line.bench.members("queue"), joined);
}
