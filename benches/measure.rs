//! Measures several subjects in turn, so that what else the machine does falls on all of them alike.

use std::time::Duration;

use anyhow::Context as _;

use crate::{
    floor,
    load::{self, Sample, Window},
    process::{self, Process},
    servers::Redis,
    work::{Flow, Work},
};

/// What is measured.
pub struct Subject<'a> {
    pub name: String,
    pub server: Server<'a>,
    /// What stands behind the server.
    pub behind: Option<&'a Redis>,
    /// Ready sessions that it may renew.
    pub sessions: &'a [String],
}

/// What answers.
pub enum Server<'a> {
    /// Redis alone, by the same scripts.
    Redis(&'a Redis),
    /// HTTP by these processes; connections are spread over them.
    Http(Vec<&'a Process>),
}

impl<'a> Subject<'a> {
    pub fn redis(redis: &'a Redis, sessions: &'a [String]) -> Self {
        Self { name: "floor 1".to_owned(), server: Server::Redis(redis), behind: None, sessions }
    }

    pub fn http(name: impl Into<String>, processes: Vec<&'a Process>, sessions: &'a [String]) -> Self {
        Self { name: name.into(), server: Server::Http(processes), behind: None, sessions }
    }

    /// The same with this Redis behind it, whose processor time is told as well.
    pub fn on(mut self, redis: &'a Redis) -> Self {
        self.behind = Some(redis);
        self
    }

    /// Puts a load on it; with `rate` of so many requests a second, else of as many as it answers.
    pub async fn measure(
        &self,
        work: Work,
        connections: usize,
        window: Window,
        rate: Option<f64>,
    ) -> anyhow::Result<Sample> {
        let before = self.cpu()?;
        let mut sample = match &self.server {
            Server::Redis(redis) => floor::redis_alone(redis, work, connections, self.sessions, window).await?,
            Server::Http(processes) => {
                let addresses: Vec<_> = processes.iter().map(|process| process.address).collect();
                load::run(&addresses, Flow::all(work, connections, self.sessions), window, rate).await?
            }
        };
        let used = self.cpu()?;
        let [cpu, redis_cpu, load_cpu] =
            [0, 1, 2].map(|of| used[of].saturating_sub(before[of]).as_secs_f64() * 1e6 / sample.answered as f64);
        (sample.cpu, sample.redis_cpu, sample.load_cpu) = (cpu, redis_cpu, load_cpu);
        Ok(sample)
    }

    /// Processor time that was used until now by the server, by the Redis behind it, and by this process.
    fn cpu(&self) -> anyhow::Result<[Duration; 3]> {
        let server = match &self.server {
            Server::Redis(redis) => redis.process.cpu()?,
            Server::Http(processes) => processes.iter().map(|process| process.cpu()).sum::<anyhow::Result<_>>()?,
        };
        let behind = self.behind.map_or(Ok(Duration::ZERO), |redis| redis.process.cpu())?;
        Ok([server, behind, process::used_by(std::process::id())?])
    }
}

/// The samples of one subject.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    pub samples: Vec<Sample>,
}

impl Measured {
    pub fn per_second(&self) -> f64 {
        self.median_of(|sample| sample.per_second)
    }

    pub fn median_of(&self, value: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(value).collect())
    }

    /// The median of the ratios of neighbours in time.
    pub fn ratio_to(&self, other: &Self, value: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().zip(&other.samples).map(|(one, other)| value(one) / value(other)).collect())
    }
}

/// Measures each subject once, then each once again, and so on.
pub async fn interleaved(
    subjects: &[Subject<'_>],
    work: Work,
    connections: usize,
    repetitions: usize,
    window: Window,
) -> anyhow::Result<Vec<Measured>> {
    let mut all = vec![Measured::default(); subjects.len()];
    for _ in 0..repetitions {
        for (subject, measured) in subjects.iter().zip(&mut all) {
            let sample = subject.measure(work, connections, window, None).await;
            measured.samples.push(sample.with_context(|| subject.name.clone())?);
        }
    }
    Ok(all)
}

/// The middle one; of an even number the mean of both.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}
