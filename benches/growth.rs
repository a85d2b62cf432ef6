//! Whether anything grows with the pool: pools of several sizes, each in a Redis of its own with a replica of its own, measured
//! in turn; and what a container and a session take of Redis's memory.

use crate::{
    fill,
    measure::{Measured, Subject, interleaved},
    plan::{Plan, USUAL},
    report::{Report, Section, bytes, grouped, millis},
    servers::{Redis, Replica},
    work::Work,
};

const SECTION: &str = "growth";
/// Idle containers beside those that are leased, so that there is always one to take.
const SPARE: usize = 256;

/// One pool.
struct Pool {
    size: usize,
    redis: Redis,
    replica: Replica,
    sessions: Vec<String>,
    container_bytes: f64,
    session_bytes: f64,
}

/// Everything that this part measures.
pub async fn measure(plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let mut pools = Vec::new();
    for size in plan.sizes {
        eprintln!("  {size} containers");
        pools.push(Pool::idle(*size).await?);
    }
    let idle = compare(plan, report, &pools, "idle", &[Work::CreateRelease, Work::Status]).await?;
    report.sections.push(idle);
    for pool in &mut pools {
        eprintln!("  {} sessions", pool.size);
        pool.lease().await?;
    }
    let works = [Work::CreateRelease, Work::Heartbeat, Work::List, Work::Status];
    let leased = compare(plan, report, &pools, "leased", &works).await?;
    report.sections.push(leased);
    memory(report, &pools);
    Ok(())
}

impl Pool {
    async fn idle(size: usize) -> anyhow::Result<Self> {
        let redis = Redis::start().await?;
        let mut connection = redis.connect().await?;
        let empty = redis.memory().await?;
        fill::containers(&mut connection, size + SPARE).await?;
        let filled = redis.memory().await? - fill::event_bytes(&mut connection).await?;
        let container_bytes = (filled as f64 - empty as f64) / (size + SPARE) as f64;
        let replica = Replica::start(&redis, "").await?;
        Ok(Self { size, redis, replica, sessions: Vec::new(), container_bytes, session_bytes: 0.0 })
    }

    /// Leases all but the spare ones.
    async fn lease(&mut self) -> anyhow::Result<()> {
        let mut connection = self.redis.connect().await?;
        let before = self.redis.memory().await? - fill::event_bytes(&mut connection).await?;
        self.sessions = fill::sessions(&mut connection, self.size, false).await?;
        let after = self.redis.memory().await? - fill::event_bytes(&mut connection).await?;
        self.session_bytes = (after as f64 - before as f64) / self.size as f64;
        Ok(())
    }
}

async fn compare(
    plan: &Plan,
    report: &mut Report,
    pools: &[Pool],
    what: &'static str,
    works: &[Work],
) -> anyhow::Result<Section> {
    let mut section = Section::new(
        format!("Growth: {what} containers"),
        format!(
            "{USUAL} connections; `of floor 1` compares with Redis alone at the same size, the next column with the smallest pool. {SPARE} \
             containers are idle besides."
        ),
        &["containers", "work", "requests/s", "of floor 1", "of the smallest pool", "p50 ms", "p99 ms"],
    );
    for work in works.iter().copied() {
        eprintln!("  {} with {what} containers", work.name());
        let subjects: Vec<Subject> = pools
            .iter()
            .flat_map(|pool| {
                let name = format!("{} {what}", pool.size);
                let mut alone = Subject::redis(&pool.redis, &pool.sessions);
                alone.name = format!("{name}, floor 1");
                [alone, Subject::http(name, vec![&pool.replica.process], &pool.sessions)]
            })
            .collect();
        let measured = interleaved(&subjects, work, USUAL, plan.repetitions, plan.window).await?;
        for (subject, one) in subjects.iter().zip(&measured) {
            report.keep(SECTION, subject, work, USUAL, one);
        }
        let ratio = |one: &Measured, to: &Measured| one.ratio_to(to, |sample| sample.per_second);
        for (pool, pair) in pools.iter().zip(measured.chunks(2)) {
            section.rows.push(vec![
                grouped(pool.size as f64),
                work.name().to_owned(),
                grouped(pair[1].per_second()),
                format!("{:.2}", ratio(&pair[1], &pair[0])),
                format!("{:.2}", ratio(&pair[1], &measured[1])),
                millis(pair[1].median_of(|sample| sample.p50)),
                millis(pair[1].median_of(|sample| sample.p99)),
            ]);
        }
        let of_the_smallest = ratio(&measured[measured.len() - 1], &measured[1]);
        let (least, most) = (pools[0].size as f64, pools[pools.len() - 1].size as f64);
        if matches!(work, Work::CreateRelease | Work::Status) {
            let name =
                format!("{} with {} {what} containers, of that with {}", work.name(), grouped(most), grouped(least));
            report.goal_at_least(name, 0.9, of_the_smallest);
        }
    }
    Ok(section)
}

fn memory(report: &mut Report, pools: &[Pool]) {
    let description = fill::description_bytes() as f64;
    let mut section = Section::new(
        "Growth: memory of Redis",
        format!(
            "Ids of 64 characters as Docker's, a description of {description} bytes, no metadata. Without the event stream, whose \
             length is bounded whatever the pool's size."
        ),
        &["containers", "a container", "beyond its description", "a session more"],
    );
    for pool in pools {
        section.rows.push(vec![
            grouped(pool.size as f64),
            bytes(pool.container_bytes),
            bytes(pool.container_bytes - description),
            bytes(pool.session_bytes),
        ]);
    }
    report.sections.push(section);
    if let Some(largest) = pools.last() {
        let name = "bytes of Redis for an idle container beyond its description";
        report.goal_at_most(name, 1024.0, (largest.container_bytes - description).round());
    }
}
