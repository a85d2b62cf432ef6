//! The short form, for every test run.

use std::time::Duration;

use crate::torture::{
    check::{Story, Verdict, check},
    history,
    plan::{Plan, Topology},
    report::Report,
    run::run,
};

/// A seed of the test's own, or that of the environment: `SEED=… cargo nextest run torture` plans the same again.
async fn torture(rogue: bool, seconds: u64) -> (Story, Verdict) {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(rand::random);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plan = Plan {
        seed,
        time: Duration::from_secs(seconds),
        topology: Topology::Single,
        replicas: 3,
        clients: 24,
        containers: 12,
        rogue,
        progress: false,
        folder: folder.path().to_owned(),
    };
    let history = run(&plan).await;
    let story = Story::read(history::read(history.path()).expect("a history")).expect("a whole history");
    let verdict = check(&story);
    println!("{}", Report { story: &story, verdict: &verdict, history: history.path() });
    if !rogue && !verdict.violations.is_empty() {
        println!("kept: {}", folder.keep().display());
    }
    (story, verdict)
}

#[tokio::test(flavor = "multi_thread")]
async fn case_01_and_38_the_promises_hold_under_torture() {
    let (story, verdict) = torture(false, 18).await;
    assert!(verdict.held > 25, "only {} sessions: no torture", verdict.held);
    assert!(story.faults.len() > 10, "only {} faults", story.faults.len());
    assert!(verdict.violations.is_empty(), "{} violations", verdict.violations.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_without_its_look_at_the_lease_is_caught() {
    let (story, verdict) = torture(true, 6).await;
    assert!(story.faults.iter().any(|fault| fault.kind == history::FaultKind::Rogue), "the rogue granted nothing");
    let caught = |promise| verdict.violations.iter().any(|violation| violation.promise == promise);
    assert!(caught("one holder") && caught("one holder in the events"), "the checker saw nothing");
}
