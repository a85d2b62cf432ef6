//! This build beside other builds of the program, in one run: whether a change is one for the better.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::{
    fill, floor,
    machine::Machine,
    measure::{Subject, interleaved},
    plan::{POOL, Plan, USUAL},
    report::{Report, Section, grouped, millis},
    servers::{self, Redis, Replica},
    work::Work,
};

/// Measures `OTHER` beside this one, and prints it.
pub async fn measure(plan: &Plan) -> anyhow::Result<()> {
    let others = std::env::var("OTHER").context("OTHER must be the paths of other builds, with `:` between them")?;
    let redis = Redis::start().await?;
    let mut connection = redis.connect().await?;
    fill::containers(&mut connection, 2 * POOL).await?;
    let sessions = fill::sessions(&mut connection, POOL, false).await?;
    let bare = servers::role(floor::ROLE, &[&redis.url()]).await?;
    let mut replicas = vec![("this build".to_owned(), Replica::start(&redis, "").await?)];
    for path in others.split(':').map(PathBuf::from) {
        replicas.push((name_of(&path), Replica::of_build(&path, &redis, "").await?));
    }
    let mut subjects = vec![Subject::http("floor 2", vec![&bare], &sessions).on(&redis)];
    for (name, replica) in &replicas {
        subjects.push(Subject::http(name, vec![&replica.process], &sessions).on(&redis));
    }
    let mut report = Report::new("compare", Machine::look());
    let mut section = Section::new(
        "Builds",
        "",
        &[
            "work",
            "build",
            "requests/s",
            "of floor 2",
            "of the last",
            "p50 ms",
            "p99 ms",
            "CPU µs",
            "of Redis",
            "of the load",
        ],
    );
    for work in [Work::CreateRelease, Work::Heartbeat, Work::Status, Work::List] {
        let measured = interleaved(&subjects, work, USUAL, 3 * plan.repetitions, plan.window).await?;
        let last = &measured[measured.len() - 1];
        for (subject, one) in subjects.iter().zip(&measured) {
            section.rows.push(vec![
                work.name().to_owned(),
                subject.name.clone(),
                grouped(one.per_second()),
                format!("{:.2}", one.ratio_to(&measured[0], |sample| sample.per_second)),
                format!("{:.2}", one.ratio_to(last, |sample| sample.per_second)),
                millis(one.median_of(|sample| sample.p50)),
                millis(one.median_of(|sample| sample.p99)),
                format!("{:.1}", one.median_of(|sample| sample.cpu)),
                format!("{:.1}", one.median_of(|sample| sample.redis_cpu)),
                format!("{:.1}", one.median_of(|sample| sample.load_cpu)),
            ]);
        }
    }
    report.sections.push(section);
    println!("{}", report.markdown());
    for (name, replica) in &replicas {
        println!("{name}: {} KiB in memory", replica.process.resident()? / 1024);
    }
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
