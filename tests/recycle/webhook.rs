//! Who is asked to make a container clean answers when it is.

use std::time::Duration;

use leasehold::{
    config::{Config, ResetKind, ResetWebhook},
    model::PoolState,
};

use super::{PATIENCE, Recycled, available};
use crate::{
    common::eventually,
    events::receiver::{Manner, Receiver, verify},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn asks(receiver: &Receiver) -> impl FnOnce(&mut Config) {
    let url = receiver.url().into();
    move |config| {
        config.reset.kind = ResetKind::Webhook;
        config.reset.webhook = Some(ResetWebhook { url, secrets: vec![SECRET.into()], ca_file: None });
    }
}

#[tokio::test]
async fn a_container_is_clean_when_the_answer_says_so_and_is_given_out_only_then() {
    let receiver = Receiver::start(Manner::Answers(307)).await;
    let recycled = Recycled::new(asks(&receiver), |target| target).await;
    let first = recycled.started_at().await;
    recycled.used().await;
    let worker = recycled.worker();
    let twice = async || (receiver.came().len() >= 2).then_some(());
    eventually("it is asked for again", PATIENCE, twice).await;
    assert_eq!(
        recycled.bench.container(&recycled.bench.target_type(), &recycled.id).await.unwrap().pool_state,
        PoolState::Resetting
    );
    receiver.behave(Manner::Takes);
    recycled.becomes("it is clean", available).await;
    worker.end().await;
    assert_eq!(recycled.started_at().await, first);
    let came = receiver.came();
    for (at, one) in came.iter().enumerate() {
        verify(one, SECRET);
        assert_eq!(one.event.kind, "container.reset_wanted");
        assert_eq!((one.event.text("container"), &one.event.data["attempt"]), (Some(&*recycled.id), &(at + 1).into()));
        assert!(!came[..at].iter().any(|other| other.event.id == one.event.id), "two attempts under one id");
    }
}

#[tokio::test]
async fn without_an_answer_in_time_it_rests_with_the_reason() {
    let receiver = Receiver::start(Manner::Hangs).await;
    let asks = asks(&receiver);
    let first_try_only = |config: &mut Config| {
        asks(config);
        config.reset.attempts = 1;
        config.reset.deadline = Duration::from_secs(1);
    };
    let recycled = Recycled::new(first_try_only, |target| target).await;
    recycled.used().await;
    let worker = recycled.worker();
    let one = recycled.becomes("it fails", |one| one.pool_state == PoolState::Unhealthy).await;
    worker.end().await;
    let reason = one.health.reason.unwrap();
    assert!(reason.contains("within 1s") && !reason.contains("secret-of-the-receiver"), "{reason}");
}
