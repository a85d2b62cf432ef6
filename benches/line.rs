//! Whether a hand-over costs more when the line is long: a holder releases, the first in line claims, another one joins.

use anyhow::bail;
use redis::aio::MultiplexedConnection;
use tokio::time::Instant;

use crate::{
    fill::{self, each_must_be, must_be, session_id},
    load::{Sample, Window},
    measure::Measured,
    plan::Plan,
    report::{Report, Section, grouped},
    scripts::{self, Call},
    servers::Redis,
};

/// Containers that go from hand to hand.
const CONTAINERS: usize = 100;
/// Hand-overs sent before the first answer is read.
const DEPTH: usize = 16;

/// Everything that this part measures.
pub async fn measure(plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for length in plan.lines {
        lines.push(Line::form(*length).await?);
    }
    for _ in 0..plan.repetitions {
        for line in &mut lines {
            line.move_on(plan.window).await?;
        }
    }
    let mut section = Section::new(
        "The line",
        "Redis alone: each hand-over is three scripts (a release with its offer, a claim, a new ticket).",
        &["in line", "hand-overs/s", "of the shortest"],
    );
    for line in &lines {
        section.rows.push(vec![
            grouped(line.length as f64),
            grouped(line.measured.per_second()),
            format!("{:.2}", line.measured.ratio_to(&lines[0].measured, |sample| sample.per_second)),
        ]);
    }
    report.sections.push(section);
    Ok(())
}

/// One line, in a Redis of its own.
struct Line {
    length: usize,
    connection: MultiplexedConnection,
    /// Who holds, and then who waits, in order.
    sessions: std::collections::VecDeque<String>,
    calls: [(Call, usize); 3],
    measured: Measured,
    _redis: Redis,
}

impl Line {
    async fn form(length: usize) -> anyhow::Result<Self> {
        let redis = Redis::start().await?;
        let mut connection = redis.connect().await?;
        fill::containers(&mut connection, CONTAINERS).await?;
        let mut sessions = fill::sessions(&mut connection, CONTAINERS, false).await?;
        sessions.extend(fill::sessions(&mut connection, length, true).await?);
        if fill::size(&mut connection, "queue").await? != length as u64 {
            bail!("the line is not as long as it should be");
        }
        let calls = [scripts::release(), scripts::poll(), scripts::allocate(true)].map(|call| {
            let place = call.place("session");
            (call, place)
        });
        for (call, _) in &calls {
            call.load(&mut connection).await?;
        }
        let measured = Measured::default();
        Ok(Self { length, connection, sessions: sessions.into(), calls, measured, _redis: redis })
    }

    async fn move_on(&mut self, window: Window) -> anyhow::Result<()> {
        let from = Instant::now() + window.warm;
        let until = from + window.time;
        let mut count = 0;
        while Instant::now() < until {
            let mut pipe = redis::pipe();
            for _ in 0..DEPTH {
                let holder = self.sessions.pop_front().unwrap_or_default();
                let next = self.sessions[CONTAINERS - 1].clone();
                let last = session_id();
                for ((call, place), session) in self.calls.iter().zip([&holder, &next, &last]) {
                    pipe.add_command(call.with(*place, session, &[]));
                }
                self.sessions.push_back(last);
            }
            let replies: Vec<redis::Value> = pipe.query_async(&mut self.connection).await?;
            let now = Instant::now();
            for (at, reply) in replies.iter().enumerate() {
                match at % 3 {
                    0 => each_must_be(reply, "ok")?,
                    1 => must_be(reply, "claimed")?,
                    _ => each_must_be(reply, "queued")?,
                }
            }
            if now >= from && now < until {
                count += DEPTH;
            }
        }
        let per_second = count as f64 / window.time.as_secs_f64();
        self.measured.samples.push(Sample { per_second, ..Sample::default() });
        Ok(())
    }
}
