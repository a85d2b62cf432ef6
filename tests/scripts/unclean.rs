//! After a loss of Redis: who used a container in the writes that are lost is not known, so none is given out before it was made clean.

use std::time::Duration;

use leasehold::{
    model::{ContainerId, EngineState, PoolState, Session},
    store::{Adopted, Allocated, Discovered, Polled, ResetOutcome, ResetReported, ResetTask, ResetTerms},
};

use super::{
    Bench, id, mark,
    recovery::{GRACE, LAG, LONGEST, bench, proof_of},
    running,
};

const MINUTE: Duration = Duration::from_mins(1);
const TERMS: ResetTerms = ResetTerms { deadline: MINUTE, attempts: 3, rest: MINUTE, longest_rest: MINUTE };

/// Whose reset makes another incarnation.
fn restarted(name: &str) -> Discovered {
    Discovered { resets: true, cuts_off: true, ..running(name) }
}

/// Whose reset leaves whoever uses it where they are.
fn scrubbed(name: &str) -> Discovered {
    Discovered { resets: true, ..running(name) }
}

fn second_life(mut one: Discovered) -> Discovered {
    "second".clone_into(&mut one.observation.incarnation);
    one
}

impl Bench {
    async fn look(&self, sequence: u64, all: &[Discovered]) {
        self.store.add_types(std::slice::from_ref(&self.wine)).await.unwrap();
        self.store.observe(&self.wine, &mark(3, sequence), all).await.unwrap();
    }

    async fn reap(&self) {
        self.store.reclaim(&self.wine).await.unwrap();
    }

    async fn dirty(&self) -> Vec<ResetTask> {
        self.store.claim_resets(&self.wine, 100, &TERMS).await.unwrap()
    }

    /// The only one that is to be made clean.
    async fn only_dirty(&self, name: &str) -> ResetTask {
        let mut tasks = self.dirty().await;
        assert_eq!(tasks.iter().map(|task| task.id.clone()).collect::<Vec<_>>(), [id(name)]);
        tasks.remove(0)
    }

    async fn made(&self, task: &ResetTask, outcome: ResetOutcome) -> ResetReported {
        self.store.report_reset(&self.wine, task, &outcome, &TERMS).await.unwrap()
    }

    /// Nothing is given out, nor will be by the end of a recovery alone.
    async fn none_is_clean(&self) {
        let outcome = self.allocate().await;
        assert!(matches!(outcome, Allocated::Shortage(None)), "{outcome:?}");
    }
}

fn container_of(session: &Session) -> &ContainerId {
    &session.container.as_ref().expect("a container").id
}

#[tokio::test]
async fn a_held_container_is_restarted_after_the_grace_and_then_nobody_has_to_wait() {
    let bench = bench();
    bench.look(1, &[restarted("one")]).await;
    bench.flushed();
    bench.look(1, &[restarted("one")]).await;
    bench.pass(Duration::from_secs(59));
    bench.reap().await;
    bench.held_back().await;
    assert!(bench.dirty().await.is_empty(), "whoever has it could still prove that");

    bench.pass(Duration::from_secs(1));
    bench.reap().await;
    let task = bench.only_dirty("one").await;
    bench.held_back().await;
    assert_eq!(bench.made(&task, ResetOutcome::Restarted).await, ResetReported::Unseen);
    bench.held_back().await;
    // Its provider cannot tell when it was started: the attempt is known to have begun after the loss.
    bench.look(2, &[second_life(restarted("one"))]).await;
    let session = bench.ready().await;
    assert_eq!(container_of(&session).as_str(), "one");
    assert!(bench.recovering().await);
    bench.release(&session).await;
    let task = bench.only_dirty("one").await;
    bench.made(&task, ResetOutcome::Restarted).await;
    let mut third = restarted("one");
    "third".clone_into(&mut third.observation.incarnation);
    bench.look(3, &[third]).await;
    bench.pass(LONGEST + LAG);
    bench.reap().await;
    assert!(bench.dirty().await.is_empty(), "it is clean");
    bench.ready().await;
}

#[tokio::test]
async fn one_whose_reset_cuts_nobody_off_is_made_clean_when_the_recovery_is_over() {
    let bench = bench();
    bench.look(1, &[scrubbed("one"), scrubbed("two")]).await;
    let before = bench.ready().await;
    bench.moved();
    bench.release(&before).await;
    bench.pass(GRACE);
    bench.reap().await;
    // What the data know to be dirty is work, which says nothing of whoever had it in the lost writes.
    let task = bench.only_dirty("one").await;
    assert_eq!(bench.made(&task, ResetOutcome::Clean).await, ResetReported::Clean);
    bench.held_back().await;

    bench.pass(LONGEST + LAG);
    bench.reap().await;
    bench.none_is_clean().await;
    let tasks = bench.dirty().await;
    assert_eq!(tasks.len(), 2, "{tasks:?}");
    bench.none_is_clean().await;
    for task in &tasks {
        assert_eq!(bench.made(task, ResetOutcome::Clean).await, ResetReported::Clean);
    }
    let session = bench.ready().await;
    bench.release(&session).await;
    assert_eq!(bench.dirty().await.len(), 1, "after each session, as ever");
}

#[tokio::test]
async fn no_caller_gets_one_that_the_reaper_has_not_come_to() {
    let bench = bench();
    bench.look(1, &[scrubbed("one"), scrubbed("two")]).await;
    bench.moved();
    bench.held_back().await;
    let waiting = bench.queued().await;
    bench.pass(LONGEST + LAG);
    let read = async || match bench.store.poll(&bench.wine, waiting.id, Some(&bench.owner), false, false, None).await {
        Ok(Polled::Session(session)) => session.container.map(|container| container.id),
        other => panic!("{other:?}"),
    };
    assert_eq!(read().await, None);
    let two = id("two");
    let wanted = bench.allocate_with(|new| new.container = Some(&two)).await;
    assert!(matches!(wanted, Allocated::Unavailable(None)), "{wanted:?}");
    let tasks = bench.dirty().await;
    assert_eq!(tasks.len(), 2, "{tasks:?}");
    for task in &tasks {
        bench.made(task, ResetOutcome::Clean).await;
    }
    assert!(read().await.is_some());
}

#[tokio::test]
async fn what_a_proven_holder_gave_back_is_made_clean_once() {
    let bench = bench();
    bench.look(1, &[scrubbed("one")]).await;
    let before = bench.ready().await;
    bench.flushed();
    bench.look(1, &[scrubbed("one")]).await;
    let outcome = bench.other().adopt(&proof_of(&before)).await.unwrap();
    assert!(matches!(outcome, Adopted::Renewed(_)), "{outcome:?}");
    bench.release(&before).await;
    bench.pass(GRACE);
    bench.reap().await;
    let task = bench.only_dirty("one").await;
    bench.made(&task, ResetOutcome::Clean).await;
    let again = bench.ready().await;
    bench.release(&again).await;
    let task = bench.only_dirty("one").await;
    bench.made(&task, ResetOutcome::Clean).await;
    bench.pass(LONGEST + LAG);
    bench.reap().await;
    assert!(bench.dirty().await.is_empty());
    bench.ready().await;
}

#[tokio::test]
async fn what_was_started_after_the_loss_is_nobodys_but_clean_only_where_a_restart_makes_it_so() {
    let bench = bench();
    bench.look(1, &[scrubbed("one"), restarted("two")]).await;
    bench.moved();
    bench.held_back().await;
    let epoch = bench.store.reclaim(&bench.wine).await.unwrap().epoch;
    let since = |one| Discovered { after_loss: Some(epoch), ..second_life(one) };
    bench.look(2, &[since(scrubbed("one")), since(restarted("two"))]).await;
    assert_eq!(container_of(&bench.ready().await).as_str(), "two");
    bench.held_back().await;
    let task = bench.only_dirty("one").await;
    bench.look(3, &[since(scrubbed("one")), since(restarted("two"))]).await;
    bench.made(&task, ResetOutcome::Clean).await;
    assert_eq!(container_of(&bench.ready().await).as_str(), "one");
}

#[tokio::test]
async fn one_that_is_found_when_the_recovery_is_over_is_clean_when_it_is_known_to_be_younger() {
    let bench = bench();
    bench.look(1, &[restarted("one")]).await;
    bench.flushed();
    bench.look(1, &[]).await;
    let epoch = bench.store.reclaim(&bench.wine).await.unwrap().epoch;
    bench.pass(LONGEST + LAG);
    bench.reap().await;
    assert!(!bench.recovering().await);
    let young = Discovered { after_loss: Some(epoch), ..restarted("young") };
    bench.look(2, &[restarted("old"), young]).await;
    assert_eq!(container_of(&bench.ready().await).as_str(), "young");
    let task = bench.only_dirty("old").await;
    bench.made(&task, ResetOutcome::Restarted).await;
    bench.look(3, &[second_life(restarted("old"))]).await;
    assert_eq!(container_of(&bench.ready().await).as_str(), "old");
}

#[tokio::test]
async fn what_does_not_run_after_a_loss_is_made_clean_when_it_does() {
    let bench = bench();
    let mut stopped = scrubbed("one");
    stopped.observation.state = EngineState::Exited;
    bench.look(1, &[stopped]).await;
    bench.moved();
    bench.held_back().await;
    bench.pass(LONGEST + LAG);
    bench.reap().await;
    assert!(bench.dirty().await.is_empty(), "it does not run");
    bench.look(2, &[scrubbed("one")]).await;
    bench.none_is_clean().await;
    let task = bench.only_dirty("one").await;
    bench.made(&task, ResetOutcome::Clean).await;
    bench.ready().await;
}

#[tokio::test]
async fn the_reaper_comes_to_all_of_them_a_hundred_at_a_time() {
    let bench = bench();
    let all: Vec<_> = (0..250).map(|number| scrubbed(&format!("one-{number:03}"))).collect();
    bench.look(1, &all).await;
    bench.moved();
    bench.held_back().await;
    bench.pass(LONGEST + LAG);
    for expected in [100, 200, 250, 250] {
        bench.reap().await;
        assert_eq!(bench.members("resetting").len(), expected);
    }
    let one = bench.container("one-000").await.unwrap();
    assert_eq!(one.pool_state, PoolState::Resetting);
}
