//! After a loss of Redis: what may still be held is not given out, and leases are taken up again as they are proven.

use std::{sync::Arc, time::Duration};

use leasehold::{
    config::{Config, RecoveryConfig},
    metrics::Metrics,
    model::{EndReason, LeaseProof, LeaseTokens, PoolState, Session, SessionId},
    store::{Adopted, Allocated, Announced, Beat, Discovered, Heartbeat, Polled, ResetTerms, Store},
};
use secrecy::SecretString;

use super::{Bench, mark, running};
use crate::common::{eventually, redis::Redis};

const KEY: &str = "a-secret-of-the-tests-with-32-bytes!";
pub(super) const LONGEST: Duration = Duration::from_mins(10);
pub(super) const LAG: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(20);
pub(super) const GRACE: Duration = Duration::from_mins(1);

pub(super) fn bench() -> Bench {
    bench_that(|_| {})
}

fn bench_that(change: impl FnOnce(&mut Config)) -> Bench {
    Bench::with(|config| {
        config.lease_tokens.keys = vec![SecretString::from(KEY)];
        config.recovery.longest_lease = Some(LONGEST);
        config.recovery.lag = LAG;
        config.recovery.grace = GRACE;
        // Nobody polls while the tests let time pass.
        config.limits.ticket_life = 2 * LONGEST;
        config.limits.wait_max = 2 * LONGEST;
        change(config);
    })
}

impl Bench {
    /// As if the data had come to another server.
    pub(super) fn moved(&self) {
        let mut command = redis::cmd("HSET");
        command.arg(self.key("epoch")).arg(&["server", "another", "checked", "0"]);
        let _: i64 = command.query(&mut self.redis.conn()).unwrap();
    }

    pub(super) fn flushed(&self) {
        let _: String = redis::cmd("FLUSHALL").query(&mut self.redis.conn()).unwrap();
    }

    /// Another replica, which remembers nothing.
    pub(super) fn other(&self) -> Store {
        Store::connect(&self.config, Arc::new(Metrics::new())).unwrap()
    }

    async fn found(&self, names: &[&str]) {
        let all: Vec<_> = names.iter().map(|name| running(name)).collect();
        self.store.observe(&self.wine, &mark(2, 1), &all).await.unwrap();
    }

    pub(super) async fn beat(&self, id: SessionId) -> Heartbeat {
        self.store.heartbeat(&self.wine, Some(&self.owner), false, &[Beat::new(id, None)]).await.unwrap().remove(0)
    }

    pub(super) async fn recovering(&self) -> bool {
        self.store.counts(&self.wine).await.unwrap().recovery.is_some()
    }

    /// Nothing is given out, and why.
    pub(super) async fn held_back(&self) {
        match self.allocate().await {
            Allocated::Shortage(Some(left)) => assert!(left <= LONGEST + 2 * LAG, "{left:?}"),
            other => panic!("not held back: {other:?}"),
        }
    }

    pub(super) async fn release(&self, session: &Session) {
        self.store.release(&self.wine, session.id, None, None, EndReason::Released).await.unwrap();
    }
}

pub(super) fn proof_of(session: &Session) -> LeaseProof {
    let token = session.lease.as_ref().and_then(|lease| lease.lease_token.as_deref()).expect("a lease token");
    LeaseTokens::new(&[SecretString::from(KEY)]).verify(token).unwrap()
}

fn token_of(session: &Session) -> u64 {
    session.lease.as_ref().expect("a lease").fencing_token.0
}

pub(super) fn adopted(outcome: Adopted) -> Session {
    match outcome {
        Adopted::Renewed(session) => session,
        other => panic!("not taken up: {other:?}"),
    }
}

#[tokio::test]
async fn a_first_start_on_a_new_redis_does_not_wait() {
    let bench = bench();
    bench.containers(&["one"]).await;
    bench.ready().await;
    assert!(!bench.recovering().await);
}

#[tokio::test]
async fn an_empty_redis_that_nobody_marked_as_new_is_a_loss() {
    let mut bench = bench();
    bench.redis = Redis::unmarked(&[]);
    bench.config.redis.url = bench.redis.url().into();
    bench.store = bench.other();
    bench.containers(&["one"]).await;
    bench.held_back().await;
    assert!(!bench.store.mark_new(false).await.unwrap(), "marked as new though it was in use");
    bench.pass(LONGEST + LAG);
    bench.ready().await;
}

#[tokio::test]
async fn a_type_that_is_new_among_others_does_not_wait() {
    let bench = bench();
    bench.containers(&["one"]).await;
    let linux = "linux".parse().unwrap();
    bench.store.add_types(std::slice::from_ref(&linux)).await.unwrap();
    assert!(bench.store.counts(&linux).await.unwrap().recovery.is_none());
    // Whose data are gone, though it was known.
    let _: i64 = redis::cmd("DEL").arg(bench.key("epoch")).query(&mut bench.redis.conn()).unwrap();
    let _: i64 = redis::cmd("HSET").arg("test:types").arg("wine").arg(1).query(&mut bench.redis.conn()).unwrap();
    assert!(bench.recovering().await);
}

#[tokio::test]
async fn case_32_after_a_flush_a_lease_is_proven_and_nothing_else_is_given_out() {
    let bench = bench();
    bench.containers(&["one", "two"]).await;
    let before = bench.ready().await;
    let proof = proof_of(&before);
    bench.flushed();
    bench.found(&["one", "two"]).await;
    bench.held_back().await;
    let store = bench.other();
    assert!(matches!(bench.beat(before.id).await, Heartbeat::Unproven));
    let read = store.poll(&bench.wine, before.id, Some(&bench.owner), false, false, None).await.unwrap();
    assert!(matches!(read, Polled::Unproven(_)), "{read:?}");

    let after = adopted(store.adopt(&proof).await.unwrap());
    assert_eq!((after.id, token_of(&after)), (before.id, token_of(&before)));
    let held = bench.container("one").await.unwrap();
    assert_eq!(held.allocated_to, Some(before.id.to_string()));
    assert_eq!(bench.members("leases"), [before.id.to_string()]);
    // Safe to repeat, and a new token proves the same.
    adopted(store.adopt(&proof).await.unwrap());
    assert!(proof_of(&after).epoch > proof.epoch);
    bench.held_back().await;

    let idle = bench.container("two").await.unwrap();
    assert!(idle.held && idle.pool_state == PoolState::Unhealthy, "{idle:?}");
    let counts = bench.store.counts(&bench.wine).await.unwrap();
    assert_eq!((counts.available, counts.held, counts.leases), (0, 1, 1));
    assert_eq!(counts.recovery.unwrap().proven, 1);

    bench.pass(LONGEST + LAG);
    let next = bench.ready().await;
    assert_eq!(next.container.as_ref().unwrap().id.as_str(), "two");
    assert!(!bench.recovering().await);
    assert_eq!(bench.events().iter().filter(|kind| *kind == "recovery.ended").count(), 1);
}

#[tokio::test]
async fn a_lease_that_is_proven_before_its_container_is_found_is_kept_for_it() {
    let bench = bench();
    bench.containers(&["one"]).await;
    let before = bench.ready().await;
    bench.flushed();
    let after = adopted(bench.other().adopt(&proof_of(&before)).await.unwrap());
    assert!(after.container.is_none() && after.lease.is_some());
    bench.found(&["one"]).await;
    assert_eq!(bench.container("one").await.unwrap().allocated_to, Some(before.id.to_string()));
    let Heartbeat::Renewed(session) = bench.beat(before.id).await else { panic!("not renewed") };
    assert_eq!(session.container.unwrap().id.as_str(), "one");
}

#[tokio::test]
async fn a_container_that_was_restarted_meanwhile_is_not_what_was_leased() {
    let bench = bench();
    bench.containers(&["one", "two"]).await;
    let (first, second) = (bench.ready().await, bench.ready().await);
    bench.flushed();
    // Proven before it was found, and after.
    adopted(bench.other().adopt(&proof_of(&first)).await.unwrap());
    let again = ["one", "two"].map(|name| {
        let mut container = running(name);
        container.observation.incarnation = "second".to_owned();
        container
    });
    bench.store.observe(&bench.wine, &mark(2, 1), &again).await.unwrap();
    let outcome = bench.other().adopt(&proof_of(&second)).await.unwrap();
    assert!(matches!(outcome, Adopted::Ended(EndReason::ContainerLost)), "{outcome:?}");
    let Heartbeat::Ended(session) = bench.beat(first.id).await else { panic!("still live") };
    assert_eq!(session.end_reason, Some(EndReason::ContainerLost));
    bench.held_back().await;
}

#[tokio::test]
async fn a_higher_fencing_token_displaces_a_lower_one_and_never_the_reverse() {
    let bench = bench();
    bench.containers(&["one"]).await;
    let first = bench.ready().await;
    bench.release(&first).await;
    let second = bench.ready().await;
    for found_first in [true, false] {
        bench.flushed();
        if found_first {
            bench.found(&["one"]).await;
        }
        let store = bench.other();
        adopted(store.adopt(&proof_of(&first)).await.unwrap());
        adopted(store.adopt(&proof_of(&second)).await.unwrap());
        let Heartbeat::Ended(session) = bench.beat(first.id).await else { panic!("two holders") };
        assert_eq!(session.end_reason, Some(EndReason::Superseded));
        // It is known to have ended now: nothing revives it.
        let outcome = store.adopt(&proof_of(&first)).await.unwrap();
        assert!(matches!(outcome, Adopted::Ended(EndReason::Superseded)), "{outcome:?}");
        assert_eq!(bench.members("leases"), [second.id.to_string()]);
    }
    bench.flushed();
    bench.found(&["one"]).await;
    adopted(bench.other().adopt(&proof_of(&second)).await.unwrap());
    let outcome = bench.other().adopt(&proof_of(&first)).await.unwrap();
    assert!(matches!(outcome, Adopted::Ended(EndReason::Superseded)), "{outcome:?}");
}

#[tokio::test]
async fn only_a_recovery_takes_up_leases_and_only_those_of_earlier_epochs() {
    let bench = bench();
    bench.containers(&["one", "two"]).await;
    let before = bench.ready().await;
    let mut forged = proof_of(&before);
    forged.session = SessionId::new(&bench.wine);
    assert!(matches!(bench.store.adopt(&forged).await.unwrap(), Adopted::NotFound), "without a recovery");
    bench.moved();
    bench.held_back().await;
    let mut of_now = forged.clone();
    of_now.epoch = bench.store.reclaim(&bench.wine).await.unwrap().epoch;
    assert!(matches!(bench.store.adopt(&of_now).await.unwrap(), Adopted::NotFound), "of this epoch");
    let mut foreign = proof_of(&before);
    foreign.owner = "somebody".parse().unwrap();
    assert!(matches!(bench.store.adopt(&foreign).await.unwrap(), Adopted::NotFound), "of another owner");
}

#[tokio::test]
async fn on_another_server_with_kept_data_leases_go_on_and_nothing_is_given_out() {
    let bench = bench();
    bench.containers(&["one", "two"]).await;
    let before = bench.ready().await;
    let epoch = bench.store.reclaim(&bench.wine).await.unwrap().epoch;
    bench.moved();
    bench.held_back().await;
    assert!(bench.store.reclaim(&bench.wine).await.unwrap().epoch > epoch);
    let Heartbeat::Renewed(session) = bench.beat(before.id).await else { panic!("not renewed") };
    assert!(session.lease.unwrap().proof_wanted);
    adopted(bench.store.adopt(&proof_of(&before)).await.unwrap());
    let Heartbeat::Renewed(session) = bench.beat(before.id).await else { panic!("not renewed") };
    assert!(!session.lease.unwrap().proof_wanted);
    // What ends meanwhile is not given out either: it may have been given to somebody before the loss.
    bench.release(&before).await;
    bench.held_back().await;
}

#[tokio::test]
async fn what_a_proven_holder_gave_back_is_free_once_all_others_had_time_to_prove_theirs() {
    let bench = bench();
    bench.containers(&["one", "two", "three"]).await;
    let (proven, unproven) = (bench.ready().await, bench.ready().await);
    bench.moved();
    bench.store.adopt(&proof_of(&proven)).await.unwrap();
    bench.release(&proven).await;
    bench.release(&unproven).await;
    bench.held_back().await;
    let waiting = bench.queued().await;
    bench.pass(Duration::from_secs(59));
    bench.store.poll(&bench.wine, waiting.id, Some(&bench.owner), false, false, None).await.unwrap();
    bench.held_back().await;
    bench.pass(Duration::from_secs(1));
    // The line is served first.
    let read = bench.store.poll(&bench.wine, waiting.id, Some(&bench.owner), false, false, None).await.unwrap();
    let Polled::Session(served) = read else { panic!("{read:?}") };
    assert_eq!(served.container.as_ref().expect("a container").id.as_str(), "one");
    bench.held_back().await;
    // It was given in this epoch, so whoever had it before is known to be gone.
    bench.release(&served).await;
    assert_eq!(bench.ready().await.container.unwrap().id.as_str(), "one");
    bench.held_back().await;
}

#[tokio::test]
async fn a_proof_of_a_lease_that_had_lapsed_frees_nothing() {
    let bench = bench();
    bench.containers(&["one"]).await;
    let before = bench.ready().await;
    let mut lapsed = proof_of(&before);
    lapsed.until_ms = lapsed.created_ms - 1;
    bench.moved();
    let after = adopted(bench.store.adopt(&lapsed).await.unwrap());
    // Nor does what it was given since: that is of this epoch. It is renewed all the same.
    let again = adopted(bench.store.adopt(&proof_of(&after)).await.unwrap());
    assert!(again.lease.unwrap().proof_wanted);
    bench.release(&before).await;
    bench.pass(GRACE);
    bench.held_back().await;
}

#[tokio::test]
async fn the_line_goes_on_standing_and_is_served_at_the_end() {
    let bench = bench();
    bench.containers(&["one"]).await;
    bench.moved();
    let waiting = bench.queued().await;
    let step = Duration::from_secs(5);
    let mut passed = Duration::ZERO;
    while passed + step < LONGEST + LAG {
        bench.pass(step);
        passed += step;
        let read = bench.store.poll(&bench.wine, waiting.id, Some(&bench.owner), false, false, None).await.unwrap();
        assert!(matches!(read, Polled::Session(ref session) if session.container.is_none()), "{passed:?}: {read:?}");
    }
    bench.pass(step);
    let read = bench.store.poll(&bench.wine, waiting.id, Some(&bench.owner), false, false, None).await.unwrap();
    assert!(matches!(read, Polled::Session(ref session) if session.container.is_some()), "{read:?}");
}

#[tokio::test]
async fn a_replica_replays_what_it_granted() {
    let bench = bench();
    bench.containers(&["one", "two"]).await;
    let (lasting, released) = (bench.ready().await, bench.ready().await);
    bench.release(&released).await;
    bench.flushed();
    bench.found(&["one", "two"]).await;
    let epoch = bench.store.reclaim(&bench.wine).await.unwrap().epoch;
    assert_eq!(bench.store.replay(&bench.wine, epoch).await.unwrap(), 1);
    assert_eq!(bench.members("leases"), [lasting.id.to_string()]);
    assert_eq!(bench.store.replay(&bench.wine, epoch).await.unwrap(), 0, "once in each epoch");
    // It lasts as long as it would have, and no longer.
    bench.pass(Duration::from_mins(1));
    assert!(matches!(bench.beat(lasting.id).await, Heartbeat::Ended(_)));
}

#[tokio::test]
async fn a_second_loss_begins_a_second_recovery() {
    let bench = bench();
    bench.containers(&["one"]).await;
    bench.moved();
    bench.held_back().await;
    bench.pass(LONGEST);
    bench.moved();
    bench.held_back().await;
    bench.pass(Duration::from_secs(599));
    bench.held_back().await;
    bench.pass(LAG + Duration::from_secs(1));
    bench.ready().await;
}

#[tokio::test]
async fn where_nothing_can_be_lost_only_an_empty_redis_is_a_loss() {
    let mut bench = bench();
    bench.config.recovery.lossless = true;
    bench.store = bench.other();
    bench.containers(&["one", "two"]).await;
    let before = bench.ready().await;
    bench.moved();
    bench.ready().await;
    let Heartbeat::Renewed(session) = bench.beat(before.id).await else { panic!("not renewed") };
    assert!(!session.lease.unwrap().proof_wanted);
    bench.flushed();
    bench.found(&["one", "two"]).await;
    bench.held_back().await;
    // And what one server lost, the next does not have either.
    bench.moved();
    bench.held_back().await;
}

#[tokio::test]
async fn an_operator_ends_a_recovery() {
    let bench = bench();
    bench.containers(&["one"]).await;
    bench.moved();
    let waiting = bench.queued().await;
    assert!(bench.store.end_recovery(&bench.wine).await.unwrap());
    assert!(!bench.store.end_recovery(&bench.wine).await.unwrap(), "twice");
    assert_eq!(bench.members("offers"), [waiting.id.to_string()]);
}

#[tokio::test]
async fn tokens_and_epochs_grow_also_when_all_is_lost_and_the_clock_stood_ahead() {
    let bench = bench();
    bench.containers(&["one"]).await;
    // As the clock was when it stood a day ahead.
    let ahead = bench.ready().await;
    let high = token_of(&ahead) + 86_400_000_000;
    let mut connection = bench.redis.conn();
    let _: i64 =
        redis::cmd("HSET").arg(bench.key("container:one")).arg("token").arg(high).query(&mut connection).unwrap();
    bench.release(&ahead).await;
    let before = bench.ready().await;
    assert_eq!(token_of(&before), high + 1);
    let epoch = bench.store.reclaim(&bench.wine).await.unwrap().epoch;
    bench.flushed();
    bench.found(&["one"]).await;
    assert!(bench.store.reclaim(&bench.wine).await.unwrap().epoch > epoch);
    bench.pass(LONGEST + LAG);
    assert!(token_of(&bench.ready().await) > token_of(&before));
}

fn gathering() -> Bench {
    bench_that(|config| config.recovery.gather = RecoveryConfig::default().gather)
}

/// An epoch far ahead of Redis's clock, as after the clock was set back, which one replica heard of; then all is lost.
async fn flushed_far_behind(bench: &Bench) -> u64 {
    const FAR: u64 = 9_000_000_000_000;
    bench.containers(&["one"]).await;
    let mut command = redis::cmd("HSET");
    command.arg(bench.key("epoch")).arg("epoch").arg(FAR);
    let _: i64 = command.query(&mut bench.redis.conn()).unwrap();
    bench.store.reclaim(&bench.wine).await.unwrap();
    bench.flushed();
    FAR
}

fn epoch_now(bench: &Bench) -> Option<u64> {
    let mut command = redis::cmd("HGET");
    command.arg(bench.key("epoch")).arg("epoch").query(&mut bench.redis.conn()).unwrap()
}

#[tokio::test]
async fn who_just_started_lets_an_epoch_begin_by_those_who_know_more() {
    let bench = gathering();
    let far = flushed_far_behind(&bench).await;
    let fresh = bench.other();
    let told = fresh.counts(&bench.wine).await.unwrap_err().to_string();
    assert!(told.contains("what other replicas know"), "{told}");
    assert_eq!(epoch_now(&bench), None);
    bench.held_back().await;
    assert_eq!(epoch_now(&bench), Some(far + 1));
    assert!(fresh.counts(&bench.wine).await.unwrap().recovery.is_some());
}

#[tokio::test]
async fn where_all_were_away_the_most_that_anybody_knows_counts() {
    let bench = gathering();
    let far = flushed_far_behind(&bench).await;
    // So long that it may not be abreast any more.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let fresh = bench.other();
    fresh.counts(&bench.wine).await.unwrap_err();
    bench.store.counts(&bench.wine).await.unwrap_err();
    eventually("an epoch", PATIENCE, async || fresh.counts(&bench.wine).await.ok()).await;
    assert_eq!(epoch_now(&bench), Some(far + 1));
    assert_eq!(bench.members("gathered"), Vec::<String>::new());
}

#[tokio::test]
async fn tokens_grow_also_when_the_server_that_goes_on_has_its_clock_behind() {
    let bench = bench();
    bench.containers(&["one"]).await;
    // The server before had its clock an hour ahead, and what it granted last is lost.
    let mut tick = redis::cmd("HINCRBY");
    tick.arg(bench.key("epoch")).arg("tick").arg(3_600_000);
    let tick: u64 = tick.query(&mut bench.redis.conn()).unwrap();
    let lost = (tick + u64::try_from(LAG.as_millis()).unwrap()) * 1000;
    bench.moved();
    let epoch = bench.store.reclaim(&bench.wine).await.unwrap().epoch;
    bench.store.observe(&bench.wine, &mark(2, 1), &[young("one", epoch)]).await.unwrap();
    assert!(token_of(&bench.ready().await) > lost);
}

#[tokio::test]
async fn who_only_discovers_or_reaps_knows_how_far_epochs_and_tokens_were() {
    for reaps in [false, true] {
        let bench = bench();
        bench.containers(&["one"]).await;
        let ahead = |field: &str, by: u64| -> u64 {
            let mut command = redis::cmd("HINCRBY");
            command.arg(bench.key("epoch")).arg(field).arg(by).query(&mut bench.redis.conn()).unwrap()
        };
        let token = ahead("floor", 4_000_000_000_000_000);
        let epoch = ahead("epoch", 86_400_000);
        let other = bench.other();
        let look = async |number| {
            if reaps {
                other.reclaim(&bench.wine).await.unwrap();
            } else {
                other.announce(&bench.wine, &mark(2, number)).await.unwrap();
            }
        };
        look(1).await;
        bench.flushed();
        look(2).await;
        let began = bench.store.reclaim(&bench.wine).await.unwrap().epoch;
        assert!(began > epoch, "{began} after {epoch}");
        bench.store.observe(&bench.wine, &mark(2, 3), &[young("one", began)]).await.unwrap();
        assert!(token_of(&bench.ready().await) > token, "reaps: {reaps}");
    }
}

#[tokio::test]
async fn a_paused_replica_cannot_begin_a_type_as_new_after_a_loss() {
    let bench = bench();
    bench.containers(&["one"]).await;
    bench.flushed();
    // What it was told before the loss, and sends now.
    let mut command = redis::cmd("HSET");
    command.arg("test:types").arg(&[":whole", "0", "wine", "1"]);
    let _: i64 = command.query(&mut bench.redis.conn()).unwrap();
    assert!(bench.recovering().await, "a verdict of long ago was believed");
}

#[tokio::test]
async fn a_full_redis_recovers_all_the_same() {
    let bench = bench();
    bench.containers(&["one", "two"]).await;
    let before = bench.ready().await;
    bench.moved();
    let memory = |most: &str| {
        let mut command = redis::cmd("CONFIG");
        command.arg("SET").arg("maxmemory").arg(most);
        let _: String = command.query(&mut bench.redis.conn()).unwrap();
    };
    memory("1mb");
    adopted(bench.store.adopt(&proof_of(&before)).await.unwrap());
    // A create may be refused for want of memory before it is held back.
    memory("0");
    bench.held_back().await;
}

#[tokio::test]
async fn case_40_the_first_call_on_a_promoted_primary_gives_nothing_out() {
    let bench = bench();
    bench.containers(&["one", "two"]).await;
    let port = bench.redis.address().port().to_string();
    let other = Redis::unmarked(&["--replicaof", "127.0.0.1", &port]);
    let link_is_up = |redis: &Redis| redis.info("master_link_status") == "up";
    eventually("replication", PATIENCE, async || link_is_up(&other).then_some(())).await;
    let become_replica_of = |redis: &Redis, of: [&str; 2]| {
        let _: String = redis::cmd("REPLICAOF").arg(&of).query(&mut redis.conn()).unwrap();
    };
    // The other one takes over without the last grant, and the first one is made its replica, and then the primary again: the
    // same process, the same open connection, other data.
    become_replica_of(&other, ["NO", "ONE"]);
    let lost = bench.ready().await;
    become_replica_of(&bench.redis, ["127.0.0.1", &other.address().port().to_string()]);
    eventually("replication the other way", PATIENCE, async || link_is_up(&bench.redis).then_some(())).await;
    become_replica_of(&bench.redis, ["NO", "ONE"]);
    assert!(bench.members("leases").is_empty(), "the grant was not lost");

    bench.held_back().await;
    let after = adopted(bench.store.adopt(&proof_of(&lost)).await.unwrap());
    assert_eq!(token_of(&after), token_of(&lost));
}

#[tokio::test]
async fn a_primary_that_gets_its_first_replica_has_lost_nothing() {
    let bench = bench();
    bench.containers(&["one"]).await;
    let before = bench.redis.info("master_replid");
    let port = bench.redis.address().port().to_string();
    let other = Redis::unmarked(&["--replicaof", "127.0.0.1", &port]);
    eventually("replication", PATIENCE, async || (other.info("master_link_status") == "up").then_some(())).await;
    assert_ne!(bench.redis.info("master_replid"), before, "it goes by the same name, so this shows nothing");
    bench.ready().await;
    assert!(!bench.recovering().await);
}

#[tokio::test]
async fn a_lease_that_had_lapsed_before_the_loss_is_not_taken_up() {
    let bench = bench();
    bench.containers(&["one"]).await;
    let mut lapsed = proof_of(&bench.ready().await);
    lapsed.until_ms = lapsed.created_ms - 1;
    bench.flushed();
    bench.found(&["one"]).await;
    let outcome = bench.other().adopt(&lapsed).await.unwrap();
    assert!(matches!(outcome, Adopted::Ended(EndReason::LostInRecovery)), "{outcome:?}");
    assert!(bench.members("leases").is_empty());
}

#[tokio::test]
async fn every_replica_tells_a_recovery_of_the_tokens_that_it_has_seen() {
    let bench = bench();
    bench.containers(&["one"]).await;
    let session = bench.ready().await;
    let high = token_of(&session) + 86_400_000_000;
    let mut connection = bench.redis.conn();
    let token = |value: u64| redis::cmd("HSET").arg(bench.key("container:one")).arg("token").arg(value).to_owned();
    let _: i64 = token(high).query(&mut connection).unwrap();
    bench.release(&session).await;
    let before = bench.ready().await;
    bench.release(&before).await;
    bench.flushed();
    // One that has seen nothing begins the epoch; the other has no lease to replay.
    let other = bench.other();
    let epoch = other.reclaim(&bench.wine).await.unwrap().epoch;
    assert_eq!(bench.store.replay(&bench.wine, epoch).await.unwrap(), 0);
    bench.found(&["one"]).await;
    bench.pass(LONGEST + LAG);
    assert!(token_of(&bench.ready().await) > token_of(&before));
}

/// A container that was started after the loss which this epoch began with.
fn young(name: &str, epoch: u64) -> Discovered {
    let mut one = running(name);
    "second".clone_into(&mut one.observation.incarnation);
    one.after_loss = Some(epoch);
    one
}

#[tokio::test]
async fn what_was_started_after_the_loss_is_free_at_once_and_stays_so() {
    let bench = bench();
    bench.containers(&["one", "two"]).await;
    bench.moved();
    bench.held_back().await;
    let epoch = bench.store.reclaim(&bench.wine).await.unwrap().epoch;
    let observe = async |number, one| bench.store.observe(&bench.wine, &mark(2, number), &[one]).await.unwrap();
    // What was said of an earlier loss is nothing of this one.
    observe(1, young("two", epoch - 1)).await;
    bench.held_back().await;
    // One that is new, one that was started again, and one that was known before it was known how old it is.
    observe(2, young("three", epoch)).await;
    observe(3, young("two", epoch)).await;
    observe(4, running("four")).await;
    observe(5, Discovered { after_loss: Some(epoch), ..running("four") }).await;
    let counts = bench.store.counts(&bench.wine).await.unwrap();
    assert_eq!((counts.available, counts.held), (3, 1));
    let (page, _) = bench.store.containers(&bench.wine, true, "", 10).await.unwrap();
    assert_eq!(page.len(), 3);
    let sessions = [bench.ready().await, bench.ready().await, bench.ready().await];
    let mut given: Vec<_> = sessions.iter().map(|one| one.container.as_ref().unwrap().id.to_string()).collect();
    given.sort();
    assert_eq!(given, ["four", "three", "two"]);
    bench.held_back().await;
    // Seen again while it is held, it is still free after.
    observe(6, young("two", epoch)).await;
    for session in &sessions {
        bench.release(session).await;
    }
    assert_eq!(bench.store.counts(&bench.wine).await.unwrap().available, 3);
    let waiting = bench.ready().await;
    bench.release(&waiting).await;
    // After the next loss it is as old as any.
    bench.moved();
    bench.held_back().await;
}

#[tokio::test]
async fn who_waits_gets_what_was_started_after_the_loss_when_it_is_ready() {
    let bench = bench();
    bench.containers(&["one"]).await;
    bench.moved();
    let waiting = bench.queued().await;
    let epoch = bench.store.reclaim(&bench.wine).await.unwrap().epoch;
    let mut fresh = young("two", epoch);
    fresh.probed = true;
    bench.store.observe(&bench.wine, &mark(2, 1), &[fresh]).await.unwrap();
    let read = async || {
        let read = bench.store.poll(&bench.wine, waiting.id, Some(&bench.owner), false, false, None).await.unwrap();
        let Polled::Session(session) = read else { panic!("{read:?}") };
        session.container.map(|container| container.id.to_string())
    };
    assert_eq!(read().await, None, "before its probe");
    bench.report("two", 1, None).await;
    assert_eq!(read().await.as_deref(), Some("two"));
}

#[tokio::test]
async fn a_recovering_type_tells_how_long_ago_the_loss_was_found_whatever_the_clock_does() {
    let bench = bench();
    bench.containers(&["one"]).await;
    let told = async || match bench.store.announce(&bench.wine, &mark(2, 1)).await.unwrap() {
        Announced::Known(loss) => loss,
        Announced::Stale => panic!("stale"),
    };
    assert_eq!(told().await, None);
    bench.moved();
    assert!(told().await.unwrap().ago < Duration::from_secs(2));
    bench.pass(Duration::from_secs(30));
    let loss = told().await.unwrap();
    assert_eq!(loss.epoch, bench.store.reclaim(&bench.wine).await.unwrap().epoch);
    assert!((30..32).contains(&loss.ago.as_secs()), "{loss:?}");
    // An hour without a tick is an outage, or a clock that was set: no time of the pool's.
    let hour = 3_600_000;
    let mut connection = bench.redis.conn();
    for (field, step) in [("tick", -hour), ("offset", -hour)] {
        let mut command = redis::cmd("HINCRBY");
        command.arg(bench.key("epoch")).arg(field).arg(step);
        let _: i64 = command.query(&mut connection).unwrap();
    }
    assert!((30..34).contains(&told().await.unwrap().ago.as_secs()));
    bench.pass(LONGEST + LAG);
    assert!(told().await.unwrap().over);
}

#[tokio::test]
async fn a_reset_waits_until_everybody_had_the_time_to_prove_a_lease() {
    let bench = bench();
    bench.store.add_types(std::slice::from_ref(&bench.wine)).await.unwrap();
    let one = Discovered { resets: true, ..running("one") };
    bench.store.observe(&bench.wine, &mark(1, 1), &[one]).await.unwrap();
    let before = bench.ready().await;
    bench.moved();
    bench.release(&before).await;
    let minute = Duration::from_mins(1);
    let terms = ResetTerms { deadline: minute, attempts: 3, rest: minute, longest_rest: minute };
    let claimed = async || bench.store.claim_resets(&bench.wine, 10, &terms).await.unwrap();
    assert!(claimed().await.is_empty(), "whoever got it in the lost writes is cut off");
    bench.pass(GRACE);
    assert_eq!(claimed().await.len(), 1);
}
