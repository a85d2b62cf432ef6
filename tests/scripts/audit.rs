//! The audit finds every fault that is planted by hand, repairs it, and takes nothing for a fault that is none.

use std::{collections::BTreeSet, fmt::Display, time::Duration};

use leasehold::{
    model::{EndReason, Fault, Finding, PoolState, Session, SessionState},
    store::{AUDIT_AREAS, Polled},
};

use super::{Bench, mark, running};

/// A deadline that is far away, in pool time.
const FAR: &str = "9000000000000";

/// What a fault is told by.
type Told = (Fault, String, String);

fn told(fault: Fault, id: impl Display, place: impl Display) -> Told {
    (fault, format!("{id}"), format!("{place}"))
}

impl Bench {
    /// A whole audit.
    pub async fn audit(&self, repairs: bool) -> Vec<Finding> {
        let mut areas: Vec<String> = AUDIT_AREAS.iter().rev().map(ToString::to_string).collect();
        let mut findings = BTreeSet::new();
        while let Some(area) = areas.pop() {
            let mut cursor = None;
            loop {
                let page = self.store.audit_page(&self.wine, &area, cursor.as_deref(), repairs).await.unwrap();
                findings.extend(page.findings);
                areas.extend(page.owners);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        findings.into_iter().collect()
    }

    fn plant(&self, command: &str, key: &str, args: &[&str]) {
        let _: redis::Value =
            redis::cmd(command).arg(self.key(key)).arg(args).query(&mut self.redis.conn()).expect(command);
    }

    async fn now(&self, session: &Session) -> Session {
        match self.store.poll(&self.wine, session.id, None, false, false, None).await.unwrap() {
            Polled::Session(session) => session,
            other => panic!("{other:?}"),
        }
    }

    /// What was planted is found, twice the same; it is repaired; and then nothing is found.
    async fn finds(&self, expected: &[Told]) {
        let expected: BTreeSet<Told> = expected.iter().cloned().collect();
        for repairs in [false, false, true] {
            let (counts, found): (Vec<_>, Vec<_>) =
                self.audit(repairs).await.into_iter().partition(|finding| finding.fault == Fault::Counts);
            assert!(found.iter().all(|finding| finding.repaired == repairs), "{found:?}");
            assert!(counts.is_empty() || !repairs, "counts are wrong after the repair: {counts:?}");
            let found: BTreeSet<_> = found.into_iter().map(|one| told(one.fault, one.id, one.place)).collect();
            assert_eq!(found, expected);
        }
        assert_eq!(self.audit(false).await, [], "after the repair");
        assert!(self.events().contains(&"audit.repaired".to_owned()));
    }
}

/// Three containers of which the first is leased, and a session that has ended.
struct Scene {
    bench: Bench,
    holder: Session,
    ended: Session,
}

async fn scene() -> Scene {
    let bench = Bench::new();
    bench.containers(&["one", "two", "three"]).await;
    let ended = bench.ready().await;
    let holder = match bench.allocate_with(|new| new.metadata = "{\"a\":1}").await {
        leasehold::store::Allocated::Ready(session) => session,
        other => panic!("{other:?}"),
    };
    bench.store.release(&bench.wine, ended.id, None, None, EndReason::Released).await.unwrap();
    assert_eq!(bench.audit(false).await, [], "before anything was planted");
    Scene { bench, holder, ended }
}

impl Scene {
    fn held(&self) -> String {
        self.holder.container.as_ref().expect("it is ready").id.to_string()
    }

    fn record(&self) -> String {
        format!("session:{}", self.holder.id)
    }

    fn held_record(&self) -> String {
        format!("container:{}", self.held())
    }
}

#[tokio::test]
async fn pain_slots_or_counters_leak_an_id_without_a_record_is_found_in_every_set() {
    let Scene { bench, .. } = scene().await;
    let sets = [
        "containers",
        "available",
        "cordoned",
        "unhealthy",
        "initializing",
        "resetting",
        "quarantine",
        "probes",
        "leases",
        "offers",
        "queue",
        "tickets",
        "sessions",
        "ended",
        "owner:backend",
        "owner:nobody",
    ];
    for set in sets {
        bench.plant("ZADD", set, &[if set == "containers" { "0" } else { FAR }, "ghost"]);
        bench.finds(&[told(Fault::MemberWithoutRecord, "ghost", set)]).await;
        assert!(!bench.members(set).contains(&"ghost".to_owned()), "{set}");
    }
}

#[tokio::test]
async fn pain_slots_or_counters_leak_a_lease_whose_session_is_gone_frees_its_container() {
    let scene = scene().await;
    let bench = &scene.bench;
    bench.plant("DEL", &scene.record(), &[]);
    bench.plant("PEXPIRE", &format!("metadata:{}", scene.holder.id), &["100000"]);
    let session = scene.holder.id;
    bench
        .finds(&[
            told(Fault::LeaseWithoutSession, scene.held(), session),
            told(Fault::MemberWithoutRecord, session, "leases"),
            told(Fault::MemberWithoutRecord, session, "sessions"),
            told(Fault::MemberWithoutRecord, session, "owner:backend"),
        ])
        .await;
    let container = bench.container(&scene.held()).await.unwrap();
    assert_eq!((container.pool_state, container.allocated_to), (PoolState::Available, None));
}

#[tokio::test]
async fn pain_slots_or_counters_leak_sizes_that_differ_are_counted() {
    let Scene { bench, .. } = scene().await;
    bench.plant("ZADD", "available", &["1", "ghost"]);
    let faults: Vec<_> = bench.audit(false).await.into_iter().map(|one| (one.fault, one.id, one.place)).collect();
    let counts = told(Fault::Counts, "3 are not 4", "containers");
    assert_eq!(faults, [told(Fault::MemberWithoutRecord, "ghost", "available"), counts]);
}

#[tokio::test]
async fn an_id_in_a_set_where_its_record_does_not_belong_is_taken_out() {
    let scene = scene().await;
    let bench = &scene.bench;
    let (held, holder, ended) = (scene.held(), scene.holder.id.to_string(), scene.ended.id.to_string());
    for (set, member) in [
        ("available", &held),
        ("resetting", &held),
        ("quarantine", &held),
        ("probes", &held),
        ("queue", &holder),
        ("ended", &holder),
        ("leases", &ended),
        ("sessions", &ended),
        ("owner:backend", &ended),
        ("owner:other", &holder),
    ] {
        bench.plant("ZADD", set, &[FAR, member]);
        bench.finds(&[told(Fault::Misplaced, member, set)]).await;
    }
    bench.plant("ZADD", "cleared", &["1", "two"]);
    bench.finds(&[told(Fault::Misplaced, "two", "cleared")]).await;
    assert_eq!(bench.now(&scene.holder).await.state, SessionState::Ready, "the lease is as it was");
}

#[tokio::test]
async fn a_container_that_a_set_lacks_is_put_back() {
    let Scene { bench, .. } = scene().await;
    let mut probed = running("four");
    probed.probed = true;
    bench.store.observe(&bench.wine, &mark(1, 2), &[probed]).await.unwrap();
    for (set, name) in [("available", "two"), ("containers", "two"), ("probes", "four"), ("initializing", "four")] {
        let before = bench.members(set);
        bench.plant("ZREM", set, &[name]);
        bench.finds(&[told(Fault::Missing, name, set)]).await;
        assert_eq!(bench.members(set).len(), before.len(), "{set}");
    }
    bench.plant("DEL", "about:two", &[]);
    bench.finds(&[told(Fault::Missing, "two", "about")]).await;
    assert!(bench.container("two").await.is_some());
    bench.plant("HSET", "container:two", &["quarantine", "1"]);
    bench.finds(&[told(Fault::Missing, "two", "quarantine"), told(Fault::WrongSet, "two", "available")]).await;
    bench.store.reclaim(&bench.wine).await.unwrap();
    assert_eq!(bench.container("two").await.unwrap().pool_state, PoolState::Available, "it came back");
}

#[tokio::test]
async fn a_session_that_a_set_lacks_is_put_back_or_ends() {
    let scene = scene().await;
    let bench = &scene.bench;
    let holder = scene.holder.id.to_string();
    for set in ["sessions", "owner:backend"] {
        bench.plant("ZREM", set, &[&holder]);
        bench.finds(&[told(Fault::Missing, &holder, set)]).await;
    }
    let ended = scene.ended.id.to_string();
    bench.plant("ZREM", "ended", &[&ended]);
    bench.finds(&[told(Fault::Missing, &ended, "ended")]).await;
    assert_eq!(bench.now(&scene.holder).await.state, SessionState::Ready);
    // Without its deadline it would hold for ever.
    bench.plant("ZREM", "leases", &[&holder]);
    bench.finds(&[told(Fault::Missing, &holder, "leases")]).await;
    assert_eq!(bench.now(&scene.holder).await.end_reason, Some(EndReason::Expired));
}

#[tokio::test]
async fn a_ticket_without_a_place_in_line_ends_and_one_without_an_end_too() {
    for (lost, left) in [("queue", "tickets"), ("tickets", "queue")] {
        let bench = Bench::new();
        bench.containers(&["one"]).await;
        bench.ready().await;
        let waiter = bench.queued().await;
        bench.plant("ZREM", lost, &[&waiter.id.to_string()]);
        bench.finds(&[told(Fault::Missing, waiter.id, lost)]).await;
        assert_eq!(bench.now(&waiter).await.end_reason, Some(EndReason::TicketExpired));
        assert!(bench.members(left).is_empty());
    }
}

#[tokio::test]
async fn an_offer_that_no_deadline_ends_goes_back_to_the_line() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let (first, second) = (bench.queued().await, bench.queued().await);
    bench.store.release(&bench.wine, holder.id, None, None, EndReason::Released).await.unwrap();
    assert_eq!(bench.audit(false).await, []);
    bench.plant("ZREM", "offers", &[&first.id.to_string()]);
    bench.finds(&[told(Fault::Missing, first.id, "offers")]).await;
    assert_eq!(bench.members("offers"), [second.id.to_string()]);
}

#[tokio::test]
async fn a_container_that_is_not_where_its_facts_put_it_is_settled() {
    let Scene { bench, .. } = scene().await;
    bench.plant("HSET", "container:two", &["cordon", "1"]);
    bench.finds(&[told(Fault::WrongSet, "two", "available")]).await;
    assert_eq!(bench.members("cordoned"), ["two"]);
    bench.plant("HDEL", "container:two", &["cordon"]);
    bench.finds(&[told(Fault::WrongSet, "two", "cordoned")]).await;
    assert!(bench.members("available").contains(&"two".to_owned()));
}

#[tokio::test]
async fn a_repaired_container_goes_to_who_waits() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let holder = bench.ready().await;
    let waiter = bench.queued().await;
    bench.plant("DEL", &format!("session:{}", holder.id), &[]);
    bench.audit(true).await;
    assert_eq!(bench.members("offers"), [waiter.id.to_string()]);
    assert_eq!(bench.audit(false).await, []);
}

#[tokio::test]
async fn a_session_whose_container_is_not_its_own_ends() {
    let scene = scene().await;
    let bench = &scene.bench;
    bench.plant("HSET", &scene.held_record(), &["lease", "", "at", ""]);
    bench
        .finds(&[
            told(Fault::SessionWithoutContainer, scene.holder.id, scene.held()),
            told(Fault::WrongSet, scene.held(), "allocated"),
        ])
        .await;
    assert_eq!(bench.now(&scene.holder).await.end_reason, Some(EndReason::ContainerLost));
    // Two hold the same one: who the container does not name has lost it, and what it held before is free.
    let (first, second) = (bench.ready().await, bench.ready().await);
    let container = |session: &Session| session.container.as_ref().unwrap().id.to_string();
    bench.plant("HSET", &format!("session:{}", second.id), &["container", &container(&first)]);
    bench
        .finds(&[
            told(Fault::SessionWithoutContainer, second.id, container(&first)),
            told(Fault::LeaseWithoutSession, container(&second), second.id),
        ])
        .await;
    assert_eq!(bench.now(&second).await.end_reason, Some(EndReason::Superseded));
    assert_eq!(bench.now(&first).await.state, SessionState::Ready);
}

#[tokio::test]
async fn a_lease_with_two_tokens_ends_and_tokens_go_on_above_both() {
    let scene = scene().await;
    let bench = &scene.bench;
    let ahead = scene.holder.lease.as_ref().unwrap().fencing_token.0 + 3_600_000_000;
    bench.plant("HSET", &scene.held_record(), &["token", &ahead.to_string()]);
    bench.finds(&[told(Fault::TokenMismatch, scene.held(), scene.holder.id)]).await;
    assert_eq!(bench.now(&scene.holder).await.end_reason, Some(EndReason::Superseded));
    for _ in 0..3 {
        let next = bench.ready().await;
        if next.container.unwrap().id.as_str() == scene.held() {
            assert!(next.lease.unwrap().fencing_token.0 > ahead);
        }
    }
}

#[tokio::test]
async fn what_is_overdue_is_a_fault_only_when_nobody_takes_it_back() {
    let scene = scene().await;
    let bench = &scene.bench;
    bench.pass(Duration::from_secs(65));
    assert_eq!(bench.audit(false).await, [], "it may be on its way");
    bench.pass(Duration::from_secs(10));
    bench.finds(&[told(Fault::Overdue, scene.holder.id, "leases")]).await;
    assert_eq!(bench.now(&scene.holder).await.end_reason, Some(EndReason::Expired));
}

#[tokio::test]
async fn a_time_that_hides_deadlines_is_found_and_what_it_hid() {
    let scene = scene().await;
    let bench = &scene.bench;
    bench.plant("HSET", "epoch", &["due", FAR]);
    bench.pass(Duration::from_secs(75));
    bench.finds(&[told(Fault::DueLate, "", "epoch"), told(Fault::Overdue, scene.holder.id, "leases")]).await;
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_removed() {
    let scene = scene().await;
    let bench = &scene.bench;
    bench.plant("HSET", "container:ghost", &["token", "7"]);
    bench.finds(&[told(Fault::IncompleteRecord, "ghost", "container")]).await;
    bench.plant("HSET", "session:ghost", &["replica", "x"]);
    bench.finds(&[told(Fault::IncompleteRecord, "ghost", "session")]).await;
    bench.plant("HDEL", &scene.record(), &["token"]);
    bench.finds(&[told(Fault::IncompleteRecord, scene.holder.id, "session")]).await;
    assert_eq!(bench.container(&scene.held()).await.unwrap().pool_state, PoolState::Available);
}

#[tokio::test]
async fn what_belongs_to_nobody_is_removed() {
    let Scene { bench, .. } = scene().await;
    for place in ["about", "metadata"] {
        bench.plant("SET", &format!("{place}:ghost"), &["{}"]);
        bench.finds(&[told(Fault::OrphanRecord, "ghost", place)]).await;
    }
}

#[tokio::test]
async fn what_is_left_of_a_recreate_neither_holds_a_container_back_nor_is_forgotten() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    // Its container is clean: nobody makes it anew.
    bench.plant("HSET", "definition:one", &["provider", "lab", "text", "{}"]);
    bench.finds(&[told(Fault::OrphanRecord, "one", "definition")]).await;
    bench.plant("HSET", "container:one", &["replaces", "ghost"]);
    bench.finds(&[told(Fault::OrphanRecord, "one", "replaces")]).await;
    assert_eq!(bench.members("available"), ["one"]);
    // Its container is gone, and nobody would make another.
    bench.plant("HSET", "definition:gone", &["provider", "lab", "text", "{}"]);
    bench.finds(&[told(Fault::Missing, "gone", "resets")]).await;
    assert_eq!(bench.members("resets"), ["gone"]);
}

#[tokio::test]
async fn a_claim_on_what_was_found_or_is_over_is_removed() {
    let scene = scene().await;
    let bench = &scene.bench;
    let (holder, ended) = (scene.holder.id.to_string(), scene.ended.id.to_string());
    bench.plant("HSET", "claims", &[&scene.held(), &holder, "gone", &ended]);
    bench.finds(&[told(Fault::OrphanClaim, scene.held(), holder), told(Fault::OrphanClaim, "gone", ended)]).await;
}

#[tokio::test]
async fn a_record_that_is_kept_too_long_or_not_long_enough_is_found() {
    let scene = scene().await;
    let bench = &scene.bench;
    bench.plant("PERSIST", &format!("session:{}", scene.ended.id), &[]);
    bench.plant("PEXPIRE", &scene.record(), &["100000"]);
    bench
        .finds(&[
            told(Fault::WrongExpiry, scene.ended.id, "session"),
            told(Fault::WrongExpiry, scene.holder.id, "session"),
        ])
        .await;
}

#[tokio::test]
async fn faults_are_found_among_many_pages() {
    let bench = Bench::new();
    let names: Vec<String> = (0..500).map(|number| format!("c{number:03}")).collect();
    bench.containers(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for _ in 0..200 {
        bench.ready().await;
    }
    // Other keys of the server are passed over.
    for number in 0..2000 {
        let _: () = redis::cmd("SET").arg(format!("other:{number}")).arg(1).query(&mut bench.redis.conn()).unwrap();
    }
    assert_eq!(bench.audit(false).await, []);
    bench.plant("ZREM", "available", &["c400"]);
    bench.plant("ZADD", "leases", &[FAR, "ghost"]);
    bench.plant("SET", "about:ghost", &["{}"]);
    bench
        .finds(&[
            told(Fault::Missing, "c400", "available"),
            told(Fault::MemberWithoutRecord, "ghost", "leases"),
            told(Fault::OrphanRecord, "ghost", "about"),
        ])
        .await;
}

#[tokio::test]
async fn one_replica_audits_a_type_at_a_time_and_rests_after_it() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let (hold, pause) = (Duration::from_secs(30), Duration::from_mins(10));
    let claim = async |replica: &str| bench.store.claim_audit(&bench.wine, replica, hold, pause).await.unwrap();
    assert!(bench.store.audited(&bench.wine).await.unwrap().is_none());
    assert!(claim("first").await);
    assert!(!claim("second").await, "it is being audited");
    assert!(claim("first").await, "it goes on");
    bench.store.finish_audit(&bench.wine, "second", &[(Fault::Counts, 9)]).await.unwrap();
    bench.store.finish_audit(&bench.wine, "first", &[(Fault::Missing, 2)]).await.unwrap();
    let audited = bench.store.audited(&bench.wine).await.unwrap().unwrap();
    assert_eq!(audited.found, [(Fault::Missing, 2)]);
    assert!(!claim("second").await && !claim("first").await, "it rests");
    // Its holder died, long ago.
    bench.plant("HSET", "audit", &["by", "dead", "until", "1", "finished", "1"]);
    assert!(claim("second").await);
}
