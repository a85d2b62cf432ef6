//! Leasehold over HTTP beside both floors: every work, by number of connections and of replicas.

use anyhow::Context as _;

use crate::{
    fill, floor,
    measure::{Measured, Subject, interleaved},
    plan::{POOL, Plan, USUAL},
    process::Process,
    report::{Report, Section, grouped, millis},
    servers::{self, Redis, Replica},
    work::Work,
};

const SECTION: &str = "http";
/// Sessions that hold a container meanwhile, and are renewed.
const SESSIONS: usize = 1000;

/// Everything that this part measures.
pub async fn measure(plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let redis = Redis::start().await?;
    let mut connection = redis.connect().await?;
    fill::containers(&mut connection, POOL + SESSIONS).await?;
    let sessions = fill::sessions(&mut connection, SESSIONS, false).await?;
    let bare = servers::role(floor::ROLE, &[&redis.url()]).await?;
    let most = plan.replicas.iter().copied().max().unwrap_or(1);
    let mut replicas = Vec::new();
    for _ in 0..most {
        replicas.push(Replica::start(&redis, "").await?);
    }
    let replicas: Vec<&Process> = replicas.iter().map(|replica| &replica.process).collect();

    let mut subjects =
        vec![Subject::redis(&redis, &sessions), Subject::http("floor 2", vec![&bare], &sessions).on(&redis)];
    for count in plan.replicas {
        let name = if *count == 1 { "Leasehold".to_owned() } else { format!("Leasehold × {count}") };
        subjects.push(Subject::http(name, replicas[..*count].to_vec(), &sessions).on(&redis));
    }
    for work in [Work::CreateRelease, Work::Heartbeat, Work::Heartbeats, Work::List, Work::Status] {
        by_connections(plan, report, &subjects, work).await?;
    }
    at_half_load(plan, report, &subjects[1..3]).await
}

async fn by_connections(plan: &Plan, report: &mut Report, subjects: &[Subject<'_>], work: Work) -> anyhow::Result<()> {
    let mut section = Section::new(
        format!("HTTP: {}", work.name()),
        "",
        &[
            "connections",
            "served by",
            work.unit(),
            "of floor 1",
            "of floor 2",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "CPU µs",
            "of Redis",
            "of the load",
        ],
    );
    // More replicas are asked what clients ask for most.
    let asked = if matches!(work, Work::CreateRelease | Work::Heartbeat) { subjects } else { &subjects[..3] };
    // A call of a thousand renewals keeps Redis busy for as long as hundreds of single ones.
    let most = if work == Work::Heartbeats { 16 } else { usize::MAX };
    let mut goal = None;
    for connections in plan.connections.iter().copied().map(|count| count.min(most)).collect::<Vec<_>>() {
        if goal.is_some() && connections == most {
            continue;
        }
        eprintln!("  {} at {connections} connections", work.name());
        let measured = interleaved(asked, work, connections, plan.repetitions, plan.window).await?;
        for (subject, one) in asked.iter().zip(&measured) {
            report.keep(SECTION, subject, work, connections, one);
            section.rows.push(row(connections, subject, one, &measured));
        }
        if connections == USUAL.min(most) {
            goal = Some((
                measured[2].ratio_to(&measured[0], |s| s.per_second),
                measured[2].ratio_to(&measured[1], |s| s.per_second),
            ));
        }
    }
    report.sections.push(section);
    if let Some((to_redis, to_bare)) = goal {
        match work {
            Work::CreateRelease | Work::Heartbeat => {
                report.goal_at_least(format!("{} at {USUAL} connections, of floor 2", work.name()), 0.9, to_bare);
            }
            Work::Heartbeats => report.goal_at_least("renewals by the thousand, of floor 1", 0.8, to_redis),
            Work::List | Work::Status => {}
        }
    }
    Ok(())
}

fn row(connections: usize, subject: &Subject, one: &Measured, all: &[Measured]) -> Vec<String> {
    let ratio = |to: &Measured| format!("{:.2}", one.ratio_to(to, |sample| sample.per_second));
    let latency = |micros: f64| if micros > 0.0 { millis(micros) } else { String::new() };
    vec![
        connections.to_string(),
        subject.name.clone(),
        grouped(one.per_second()),
        ratio(&all[0]),
        ratio(&all[1]),
        latency(one.median_of(|sample| sample.p50)),
        latency(one.median_of(|sample| sample.p99)),
        latency(one.median_of(|sample| sample.p999)),
        micros(one.median_of(|sample| sample.cpu)),
        micros(one.median_of(|sample| sample.redis_cpu)),
        micros(one.median_of(|sample| sample.load_cpu)),
    ]
}

/// Processor time; nothing where there is no such process.
fn micros(value: f64) -> String {
    if value > 0.0 { format!("{value:.1}") } else { String::new() }
}

/// Latencies while half of what Leasehold can do is asked of it, and the same of floor 2.
async fn at_half_load(plan: &Plan, report: &mut Report, pair: &[Subject<'_>]) -> anyhow::Result<()> {
    let mut section = Section::new(
        "HTTP: latency at half load",
        format!(
            "{USUAL} connections send, evenly, half as many requests a second as Leasehold can answer, to Leasehold and to floor 2 alike."
        ),
        &["work", "served by", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "p99 of floor 2's"],
    );
    for work in [Work::CreateRelease, Work::Heartbeat] {
        eprintln!("  {} at half load", work.name());
        let most = report
            .measurements
            .iter()
            .find(|one| one.subject == pair[1].name && one.work == work.name() && one.connections == USUAL);
        let rate = most.context("it was measured without a rate before")?.per_second / 2.0;
        let mut measured = [Measured::default(), Measured::default()];
        for _ in 0..plan.repetitions {
            for (subject, measured) in pair.iter().zip(&mut measured) {
                measured.samples.push(subject.measure(work, USUAL, plan.window, Some(rate)).await?);
            }
        }
        let ratio = measured[1].ratio_to(&measured[0], |sample| sample.p99);
        for ((subject, one), ratio) in pair.iter().zip(&measured).zip([String::new(), format!("{ratio:.2}")]) {
            report.keep("half load", subject, work, USUAL, one);
            section.rows.push(vec![
                work.name().to_owned(),
                subject.name.clone(),
                grouped(one.per_second()),
                millis(one.median_of(|sample| sample.p50)),
                millis(one.median_of(|sample| sample.p99)),
                millis(one.median_of(|sample| sample.p999)),
                ratio,
            ]);
        }
        report.goal_at_most(format!("p99 of {} at half load, of floor 2's", work.name()), 3.0, ratio);
    }
    report.sections.push(section);
    Ok(())
}
