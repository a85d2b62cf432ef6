//! Between two sessions, and in an operator's hands: how many resets, drains and quarantines a replica's calls carry.
//!
//! Through the store and real Redis, without the engine: what a restart itself takes is the engine's. Calls go one after the other.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use leasehold::{
    config::{Config, QuarantineConfig},
    metrics::Metrics,
    model::{About, ContainerId, EndReason, EngineHealth, EngineState, Observation, OwnerName, SessionId, TargetType},
    store::{Allocated, Allocation, Discovered, ObservationMark, ProbeReport, ResetOutcome, ResetTerms, Store},
};
use tokio::time::Instant;

use crate::{
    load::{Sample, Window},
    measure::Measured,
    plan::Plan,
    report::{Report, Section, grouped},
    servers::{PREFIX, Redis, TYPE},
};

/// Containers of the pool.
const CONTAINERS: usize = 100;

/// What is done again and again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cycle {
    Session,
    Reset,
    Drain,
    Quarantine,
}

const CYCLES: [(Cycle, &str); 4] = [
    (Cycle::Session, "a session: create and release"),
    (Cycle::Reset, "the same where its container is made clean: create, release, claim and report of the reset"),
    (Cycle::Drain, "a drain of an idle container, and its uncordon"),
    (Cycle::Quarantine, "a container fails its probe and goes into quarantine, which is lifted, and is probed good"),
];

/// Everything that this part measures.
pub async fn measure(plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let mut pools = Vec::new();
    for (cycle, what) in CYCLES {
        pools.push((Pool::start(cycle).await?, what, Measured::default()));
    }
    for _ in 0..plan.repetitions {
        for (pool, _, measured) in &mut pools {
            measured.samples.push(pool.go_round(plan.window).await?);
        }
    }
    let mut section = Section::new(
        "Between two sessions",
        "One caller, one call after the other, through the store and a Redis of its own; without what the engine does.",
        &["what", "a second", "of a session"],
    );
    for (_, what, measured) in &pools {
        section.rows.push(vec![
            (*what).to_owned(),
            grouped(measured.per_second()),
            format!("{:.2}", measured.ratio_to(&pools[0].2, |sample| sample.per_second)),
        ]);
    }
    report.sections.push(section);
    Ok(())
}

/// A pool in a Redis of its own, and one caller.
struct Pool {
    cycle: Cycle,
    store: Store,
    target_type: TargetType,
    owner: OwnerName,
    /// The eras that probes report for.
    turn: usize,
    _redis: Redis,
}

impl Pool {
    async fn start(cycle: Cycle) -> anyhow::Result<Self> {
        let redis = Redis::start().await?;
        let mut config = Config::default();
        config.redis.url = redis.url().into();
        config.prefix = PREFIX.into();
        config.recovery.gather = Duration::ZERO;
        let store = Store::connect(&config, Arc::new(Metrics::new()))?;
        store.mark_new(true).await?;
        let target_type: TargetType = TYPE.parse().map_err(|_| anyhow::anyhow!("a type's name"))?;
        store.add_types(std::slice::from_ref(&target_type)).await?;
        let pool = Self { cycle, store, target_type, owner: "bench".parse()?, turn: 0, _redis: redis };
        let all: Vec<_> = (0..CONTAINERS).map(|number| pool.container(number)).collect::<Result<_, _>>()?;
        let mark = ObservationMark { provider: "farm".parse()?, generation: 1, sequence: 1 };
        pool.store.observe(&pool.target_type, &mark, &all).await?;
        for number in 0..CONTAINERS {
            pool.probed(number, None).await?;
        }
        Ok(pool)
    }

    fn container(&self, number: usize) -> anyhow::Result<Discovered> {
        // The first failure is enough, and one rests at a time.
        let quarantine = QuarantineConfig { strikes: 1, ..QuarantineConfig::default() };
        Ok(Discovered {
            observation: Observation {
                id: id(number)?,
                target_type: self.target_type.clone(),
                incarnation: "first".to_owned(),
                started: None,
                state: EngineState::Running,
                health: EngineHealth::None,
                about: About { name: format!("farm_{number}"), ..About::default() },
            },
            probed: self.cycle == Cycle::Quarantine,
            resets: self.cycle == Cycle::Reset,
            cuts_off: false,
            after_loss: None,
            fresh_within: None,
            quarantine: (self.cycle == Cycle::Quarantine).then_some(quarantine),
        })
    }

    /// As often as there is time.
    async fn go_round(&mut self, window: Window) -> anyhow::Result<Sample> {
        let from = Instant::now() + window.warm;
        let until = from + window.time;
        let mut count = 0;
        while Instant::now() < until {
            self.turn = (self.turn + 1) % CONTAINERS;
            match self.cycle {
                Cycle::Session => self.session().await?,
                Cycle::Reset => self.reset().await?,
                Cycle::Drain => self.drain().await?,
                Cycle::Quarantine => self.quarantine().await?,
            }
            let now = Instant::now();
            count += usize::from(now >= from && now < until);
        }
        let per_second = count as f64 / window.time.as_secs_f64();
        Ok(Sample { per_second, ..Sample::default() })
    }

    async fn session(&self) -> anyhow::Result<()> {
        let new = Allocation::new(SessionId::new(&self.target_type), &self.owner, Duration::from_mins(1));
        let Allocated::Ready(session) = self.store.allocate(&self.target_type, &new).await? else {
            bail!("nothing was available");
        };
        let (owner, reason) = (Some(&self.owner), EndReason::Released);
        self.store.release(&self.target_type, session.id, owner, None, reason).await?;
        Ok(())
    }

    async fn reset(&self) -> anyhow::Result<()> {
        self.session().await?;
        let minute = Duration::from_mins(1);
        let terms = ResetTerms { deadline: minute, attempts: 3, rest: minute, longest_rest: minute };
        let task = self.store.claim_resets(&self.target_type, 1, &terms).await?.pop().context("a reset is due")?;
        self.store.report_reset(&self.target_type, &task, &ResetOutcome::Clean, &terms).await?;
        Ok(())
    }

    async fn drain(&self) -> anyhow::Result<()> {
        let id = id(self.turn)?;
        self.store.drain(&self.target_type, &id, "bench", Duration::from_mins(1), false).await?;
        let one = self.store.uncordon(&self.target_type, &id, "bench").await?.context("it is there")?;
        anyhow::ensure!(!one.cordoned, "it is not uncordoned");
        Ok(())
    }

    async fn quarantine(&self) -> anyhow::Result<()> {
        self.probed(self.turn, Some("no answer")).await?;
        let id = id(self.turn)?;
        let one = self.store.container(&self.target_type, &id).await?.context("it is there")?;
        anyhow::ensure!(one.quarantine.is_some(), "it is not in quarantine");
        self.store.lift_quarantine(&self.target_type, &id, "bench").await?;
        self.probed(self.turn, None).await
    }

    async fn probed(&self, number: usize, failure: Option<&str>) -> anyhow::Result<()> {
        let failure = failure.map(str::to_owned);
        let report = ProbeReport { id: id(number)?, era: 1, claimed: u64::MAX, failure, rise: 1, fall: 1 };
        self.store.report_probes(&self.target_type, &[report]).await?;
        Ok(())
    }
}

fn id(number: usize) -> anyhow::Result<ContainerId> {
    format!("container-{number}").parse().map_err(|_| anyhow::anyhow!("a container's id"))
}
