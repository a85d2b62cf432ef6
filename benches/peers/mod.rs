//! Other ways to lend out containers, on this machine, for the same work. One that is not installed is named as missing.

mod bullmq;
mod fastapi;
pub mod postgres;

use std::path::{Path, PathBuf};

use crate::{
    fill, floor,
    measure::{Subject, interleaved},
    plan::{POOL, Plan, USUAL},
    report::{Report, Section, grouped, millis},
    servers::{self, Redis, Replica},
    work::Work,
};

const SECTION: &str = "peers";

/// Everything that this part measures.
pub async fn measure(plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let redis = Redis::start().await?;
    fill::containers(&mut redis.connect().await?, POOL).await?;
    let replica = Replica::start(&redis, "").await?;
    let bare = servers::role(floor::ROLE, &[&redis.url()]).await?;
    let cluster = postgres::Cluster::start().await;
    let mut subjects = vec![
        Subject::http("floor 2: bare actix and Redis", vec![&bare], &[]),
        Subject::http("Leasehold", vec![&replica.process], &[]),
    ];
    let mut missing = Vec::new();
    let started = [
        ("FastAPI, uvicorn, a pool in memory behind an asyncio lock; one process", fastapi::start().await),
        (postgres::RELAXED, postgres::start(cluster.as_ref(), "off").await),
        (postgres::DURABLE, postgres::start(cluster.as_ref(), "on").await),
    ];
    for (name, process) in &started {
        match process {
            Ok(process) => subjects.push(Subject::http(*name, vec![process], &[])),
            Err(error) => missing.push(format!("{name}: {error:#}")),
        }
    }
    let mut section =
        Section::new("Peers", "", &["create and release over HTTP", "requests/s", "of Leasehold", "p50 ms", "p99 ms"]);
    let measured = interleaved(&subjects, Work::CreateRelease, USUAL, plan.repetitions, plan.window).await?;
    for (subject, one) in subjects.iter().zip(&measured) {
        report.keep(SECTION, subject, Work::CreateRelease, USUAL, one);
        section.rows.push(vec![
            subject.name.clone(),
            grouped(one.per_second()),
            format!("{:.2}", one.ratio_to(&measured[1], |sample| sample.per_second)),
            millis(one.median_of(|sample| sample.p50)),
            millis(one.median_of(|sample| sample.p99)),
        ]);
    }
    match bullmq::measure(&redis, plan).await {
        Ok(jobs) => section.rows.push(vec![
            bullmq::NAME.to_owned(),
            grouped(2.0 * jobs),
            format!("{:.2}", 2.0 * jobs / measured[1].per_second()),
            String::new(),
            String::new(),
        ]),
        Err(error) => missing.push(format!("{}: {error:#}", bullmq::NAME)),
    }
    section.text = format!(
        "{USUAL} connections, {POOL} containers. None of the peers has a line, fencing tokens, idempotent retries, events or discovery; a \
         pool in one process's memory is lost with it."
    );
    for peer in missing {
        eprintln!("  missing: {peer}");
        section.text.push_str(&format!("\n\n**Missing in this run**: {peer}."));
    }
    report.sections.push(section);
    Ok(())
}

/// Where `scripts/bench.sh` installs the peers.
pub fn installed(what: &str) -> anyhow::Result<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers").join(what);
    anyhow::ensure!(path.exists(), "it is not installed (`make bench` does that where pip and npm have a registry)");
    Ok(path)
}

/// A file beside this one.
fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers").join(name)
}
