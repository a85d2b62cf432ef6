//! Random operations, and what must hold after each.
//!
//! [`step`] says what may happen, [`world`] what must become of it (a model in plain Rust), [`look`] reads everything back
//! from Redis in one pass and holds the invariants of `settle` against it, [`history`] replays the events,
//! [`compare`] holds both against the model.
//!
//! Time in the model is in seconds and passes by tens; each deadline is set at fives, so that the real time that a run takes
//! decides nothing.

mod compare;
mod history;
mod look;
mod run;
mod step;
mod world;

use std::sync::{Arc, atomic::AtomicU32};

use proptest::test_runner::{Config, TestError, TestRunner};

use crate::common::redis::Redis;

/// How many runs there are; `PROPTEST_CASES` in the environment asks for others.
const CASES: u32 = 200;

#[test]
fn case_02_pain_double_allocation_random_operations_keep_the_invariants_and_do_what_the_model_says() {
    let redis = Arc::new(Redis::start());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut config = Config { failure_persistence: None, max_shrink_time: 60_000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let runs = AtomicU32::new(0);
    let outcome = TestRunner::new(config).run(&step::steps(), |steps| {
        let run = runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        runtime.block_on(run::run(redis.clone(), run, &steps))
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, steps)) => {
            panic!("{why}\nafter these steps, of which the last one failed:\n{steps:#?}")
        }
        Err(TestError::Abort(why)) => panic!("given up: {why}"),
    }
}
