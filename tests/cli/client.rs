//! The Rust client against a real replica: what a guard promises, and what is safe to repeat.

use std::time::Duration;

use leasehold::{
    client::{Client, ClientError, CreateSession, Loss, Renewal, SessionFilter, SessionGuard},
    model::SessionState,
};
use secrecy::SecretString;
use tokio::time::{Instant, timeout};

use super::{PATIENCE, Pool};
use crate::common::{eventually, replica::KEY, wire::Wire};

/// What a renewal that was swallowed may be late by; far below the 10 s after which a call is given up.
const SLACK: Duration = Duration::from_secs(3);

fn client(url: &str) -> Client {
    Client::new(url, Some(&SecretString::from(KEY))).expect("a client")
}

fn wine() -> CreateSession {
    CreateSession::new("wine".parse().expect("a type"))
}

/// A guard with a short TTL, just renewed: the next renewal is a while away.
async fn just_renewed(client: &Client) -> SessionGuard {
    let guard = client.acquire(&CreateSession { ttl_seconds: Some(3), ..wine() }).await.expect("a container");
    let first = guard.held_until();
    eventually("a renewal", PATIENCE, async || (guard.held_until() > first).then_some(())).await;
    guard
}

/// A replica with one container, and a wire to it.
async fn wired() -> (Pool, Wire, Client) {
    let pool = Pool::start(1).await;
    let url = pool.replica.url();
    let wire = Wire::to_tcp(url.trim_start_matches("http://").parse().expect("an address")).await;
    let client = client(&format!("http://{}", wire.at()));
    (pool, wire, client)
}

/// Fails unless the guard is lost by silence, at its deadline.
async fn lost_by_its_deadline(guard: &SessionGuard) {
    let deadline = guard.held_until().expect("still held");
    let loss = timeout(PATIENCE, guard.lost()).await.expect("lost");
    let late = Instant::now().checked_duration_since(deadline).expect("not before the deadline");
    assert!(late < SLACK, "lost {late:?} after the deadline");
    assert!(matches!(*loss, Loss::Silence { .. }), "{loss:?}");
    assert_eq!(guard.held_until(), None);
}

#[tokio::test]
async fn a_guard_is_told_that_its_session_was_released() {
    let pool = Pool::start(1).await;
    let guard = just_renewed(&client(&pool.replica.url())).await;
    pool.http().delete(&format!("/sessions/{}", guard.session().id)).await.expect(200);
    let loss = timeout(PATIENCE, guard.lost()).await.expect("lost");
    let Loss::Told(ClientError::Problem(problem)) = &*loss else { panic!("{loss:?}") };
    assert_eq!((problem.status, problem.code.as_str()), (410, "session_ended"));
}

#[tokio::test]
async fn a_guard_of_a_replica_that_died_is_lost_at_its_deadline() {
    let mut pool = Pool::start(1).await;
    let guard = just_renewed(&client(&pool.replica.url())).await;
    pool.replica.kill();
    lost_by_its_deadline(&guard).await;
}

#[tokio::test]
async fn a_guard_whose_renewals_are_swallowed_is_lost_at_its_deadline() {
    let (_pool, wire, client) = wired().await;
    let guard = just_renewed(&client).await;
    wire.hole();
    lost_by_its_deadline(&guard).await;
}

#[tokio::test]
async fn a_guard_outlives_an_interruption_shorter_than_its_lease() {
    let (_pool, wire, client) = wired().await;
    let guard = just_renewed(&client).await;
    let before = guard.held_until();
    wire.cut();
    // The renewal comes within the cut: it fails, and is tried again.
    tokio::time::sleep_until(before.expect("held") - Duration::from_millis(1500)).await;
    wire.mend();
    eventually("a renewal after the cut", PATIENCE, async || (guard.held_until() > before).then_some(())).await;
}

#[tokio::test]
async fn a_guard_gives_back_when_released_and_when_dropped() {
    let pool = Pool::start(1).await;
    let client = client(&pool.replica.url());
    let guard = client.acquire(&wine()).await.expect("a container");
    assert_eq!(pool.available().await, 0);
    guard.release().await.expect("released");
    assert_eq!(pool.available().await, 1);

    let guard = client.acquire(&wine()).await.expect("a container");
    assert_eq!(pool.available().await, 0);
    drop(guard);
    eventually("the container back", PATIENCE, async || (pool.available().await == 1).then_some(())).await;
}

#[tokio::test]
async fn heartbeats_are_answered_in_order() {
    let pool = Pool::start(3).await;
    let client = client(&pool.replica.url());
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(client.create(&wine()).await.expect("ready"));
    }
    client.release(sessions[1].id, None).await.expect("released");
    let renewals: Vec<_> = [2, 1, 0]
        .map(|at: usize| Renewal { id: sessions[at].id, fencing_token: None, lease_token: None, active: false })
        .into();
    let outcomes = client.heartbeats(&renewals).await.expect("outcomes");
    let ids: Vec<_> = outcomes.iter().map(|outcome| outcome.session_id).collect();
    assert_eq!(ids, renewals.iter().map(|renewal| renewal.id).collect::<Vec<_>>());
    let renewed: Vec<_> = outcomes.iter().map(|outcome| outcome.session.as_ref().map(|session| session.id)).collect();
    assert_eq!(renewed, [Some(sessions[2].id), None, Some(sessions[0].id)]);
    assert_eq!(outcomes[1].problem.as_ref().expect("a problem")["code"], "session_ended");
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_repeated_and_made_once() {
    let (pool, wire, client) = wired().await;
    wire.mute_at("POST /sessions");
    let creating = tokio::spawn({
        let client = client.clone();
        async move { client.create(&wine()).await }
    });
    eventually("the session", PATIENCE, async || (pool.available().await == 0).then_some(())).await;
    wire.cut();
    // On this one thread the wire's ends see the cut before this test goes on; the next try comes later.
    tokio::task::yield_now().await;
    wire.mend();
    let session = creating.await.unwrap().expect("the same session");
    assert_eq!(session.state, SessionState::Ready);
    let known = client.sessions(&SessionFilter { include_ended: true, ..SessionFilter::default() }).await.unwrap();
    assert_eq!(known.iter().map(|session| session.id).collect::<Vec<_>>(), [session.id]);
}

#[tokio::test]
async fn a_shortage_is_one() {
    let pool = Pool::start(0).await;
    let error = client(&pool.replica.url()).acquire(&wine()).await.expect_err("nothing is there");
    assert!(error.is_shortage(), "{error}");
}
