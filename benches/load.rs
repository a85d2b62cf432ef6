//! The load: keep-alive connections that send a request as soon as the last one is answered, or at a given rate. It must cost
//! far less than what it measures, so it is one thread, prepared bytes, and as much of HTTP as these servers need.

use std::{cell::RefCell, net::SocketAddr, rc::Rc, time::Duration};

use anyhow::{Context as _, bail};
use hdrhistogram::Histogram;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::Instant,
};

use crate::work::Flow;

/// How long a load lasts.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Not counted.
    pub warm: Duration,
    /// Counted.
    pub time: Duration,
}

/// What a load found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sample {
    pub per_second: f64,
    /// Microseconds; 0 where they were not taken.
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    /// Processor time for each, in microseconds: of the server, of the Redis behind it, of the load itself.
    pub cpu: f64,
    pub redis_cpu: f64,
    pub load_cpu: f64,
    /// All that was answered, within the window and besides.
    pub answered: u64,
}

/// Counts what is answered within the window.
struct Counter {
    from: Instant,
    until: Instant,
    units: u64,
    answered: u64,
    /// Microseconds.
    latencies: Histogram<u64>,
}

impl Counter {
    fn count(&mut self, began: Instant, units: u64) {
        let now = Instant::now();
        self.answered += units;
        if now >= self.from && now < self.until {
            self.units += units;
            self.latencies.saturating_record((now - began).as_micros() as u64);
        }
    }

    fn sample(&self) -> Sample {
        let at = |quantile| self.latencies.value_at_quantile(quantile) as f64;
        Sample {
            per_second: self.units as f64 / (self.until - self.from).as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            answered: self.answered,
            ..Sample::default()
        }
    }
}

/// Runs one connection for each flow, spread over the addresses. With `rate` they send so many requests a second in all,
/// evenly; else each as fast as it is answered.
///
/// # Errors
/// A request was not answered as it should be.
pub async fn run(
    addresses: &[SocketAddr],
    flows: Vec<Flow>,
    window: Window,
    rate: Option<f64>,
) -> anyhow::Result<Sample> {
    let mut connections = Vec::with_capacity(flows.len());
    for (number, flow) in flows.into_iter().enumerate() {
        connections.push((Connection::open(addresses[number % addresses.len()]).await?, flow));
    }
    let from = Instant::now() + window.warm;
    let until = from + window.time;
    let latencies = Histogram::new_with_bounds(1, 60_000_000, 3)?;
    let counter = Rc::new(RefCell::new(Counter { from, until, units: 0, answered: 0, latencies }));
    let count = connections.len();
    let interval = rate.map(|rate| Duration::from_secs_f64(count as f64 / rate));
    let mut running = JoinSet::new();
    for (number, (connection, flow)) in connections.into_iter().enumerate() {
        let pace = interval
            .map(|interval| Pace { next: Instant::now() + interval.mul_f64(number as f64 / count as f64), interval });
        running.spawn_local(send(connection, flow, counter.clone(), pace));
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    let sample = counter.borrow().sample();
    if sample.per_second == 0.0 {
        bail!("nothing was answered within {:?}", window.time);
    }
    Ok(sample)
}

/// When to send.
struct Pace {
    next: Instant,
    interval: Duration,
}

impl Pace {
    /// Waits for the time of the next request. Returns since when its latency counts: a request that is late because the one
    /// before was not answered is late by the server's fault, one that the timer brings late is not.
    async fn turn(&mut self) -> Instant {
        let due = self.next;
        self.next += self.interval;
        let now = Instant::now();
        if due <= now {
            return due;
        }
        tokio::time::sleep_until(due).await;
        Instant::now()
    }
}

async fn send(
    mut connection: Connection,
    mut flow: Flow,
    counter: Rc<RefCell<Counter>>,
    mut pace: Option<Pace>,
) -> anyhow::Result<()> {
    let until = counter.borrow().until;
    while Instant::now() < until || !flow.at_rest() {
        let began = match &mut pace {
            Some(pace) => pace.turn().await,
            None => Instant::now(),
        };
        let (status, body) = connection.exchange(flow.next()).await?;
        counter.borrow_mut().count(began, flow.work().units());
        flow.answered(status, body)?;
    }
    Ok(())
}

/// One keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// The connection broke, or the answer is not HTTP/1.1 with a `Content-Length`.
    pub async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut head = None;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection before its answer");
            }
            if head.is_none() {
                head = head_of(&self.buffer)?;
            }
            if let Some((status, from, length)) = head
                && self.buffer.len() >= from + length
            {
                return Ok((status, &self.buffer[from..from + length]));
            }
        }
    }
}

/// Status, where the body begins, and its length; none while the head is not complete.
fn head_of(bytes: &[u8]) -> anyhow::Result<Option<(u16, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(from) = response.parse(bytes)? else { return Ok(None) };
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| std::str::from_utf8(header.value).ok()?.trim().parse().ok())
        .context("an answer without Content-Length")?;
    Ok(Some((response.code.context("an answer without status")?, from, length)))
}
