//! Where the time goes: in Redis by what each script calls, in a replica by `perf`.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::Context as _;
use redis::{Cmd, aio::MultiplexedConnection};
use tokio::process::Command;

use crate::{
    fill,
    floor::Calls,
    load::{self, Window},
    plan::{POOL, USUAL},
    report::{Report, Section},
    servers::{Redis, Replica},
    work::{Flow, Work},
};

/// How often each script is called, in pipelines of a part of the pool.
const ROUNDS: usize = 20;
const PART: usize = POOL / 2;

/// What Redis says of each script.
pub async fn redis_time(report: &mut Report) -> anyhow::Result<()> {
    let redis = Redis::start().await?;
    let mut connection = redis.connect().await?;
    fill::containers(&mut connection, POOL + PART).await?;
    let held = fill::sessions(&mut connection, PART, false).await?;
    let calls = Calls::new();
    calls.load(&mut connection).await?;
    let mut scripts: BTreeMap<&str, Time> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let ids: Vec<String> = (0..PART).map(|_| fill::session_id()).collect();
        let held_ids: Vec<&str> = held.iter().map(String::as_str).collect();
        let rounds: [(&str, Vec<Cmd>); 6] = [
            ("allocate", ids.iter().map(|id| calls.allocate(id)).collect()),
            ("release", ids.iter().map(|id| calls.release(id)).collect()),
            ("heartbeat", held.iter().map(|id| calls.heartbeat(id)).collect()),
            ("heartbeat of 100", held_ids.chunks(100).map(|chunk| calls.heartbeats(chunk)).collect()),
            ("containers, 100", vec![calls.list(); 5]),
            ("status", vec![calls.status(); PART]),
        ];
        for (name, commands) in rounds {
            scripts.entry(name).or_default().add(&mut connection, commands).await?;
        }
    }
    let mut section = Section::new(
        "Where Redis's time goes",
        "Microseconds of Redis for each call of a script (`INFO commandstats`), how much of it is in the commands that it calls, and \
         those: calls × microseconds. The rest is Lua, and reading the call.",
        &["script", "µs", "in commands", "commands"],
    );
    for (name, time) in &scripts {
        section.rows.push(time.row(name));
    }
    report.sections.push(section);
    Ok(())
}

/// Calls and microseconds by command.
#[derive(Default)]
struct Time {
    commands: BTreeMap<String, (u64, u64)>,
}

impl Time {
    async fn add(&mut self, connection: &mut MultiplexedConnection, commands: Vec<Cmd>) -> anyhow::Result<()> {
        let _: String = redis::cmd("CONFIG").arg("RESETSTAT").query_async(connection).await?;
        let mut pipe = redis::pipe();
        for command in commands {
            pipe.add_command(command);
        }
        let replies: Vec<redis::Value> = pipe.query_async(connection).await?;
        replies.iter().try_for_each(|reply| fill::must_be(reply, "ok"))?;
        let info: String = redis::cmd("INFO").arg("commandstats").query_async(connection).await?;
        for line in info.lines() {
            let Some((name, fields)) = line.strip_prefix("cmdstat_").and_then(|line| line.split_once(':')) else {
                continue;
            };
            let field = |wanted: &str| -> u64 {
                let value = fields.split(',').find_map(|field| field.strip_prefix(wanted)?.strip_prefix('='));
                value.and_then(|value| value.parse().ok()).unwrap_or_default()
            };
            let sum = self.commands.entry(name.to_owned()).or_default();
            sum.0 += field("calls");
            sum.1 += field("usec");
        }
        Ok(())
    }

    fn row(&self, name: &str) -> Vec<String> {
        let (calls, whole) = self.commands.get("evalsha").copied().unwrap_or_default();
        let mut inner: Vec<_> = self.commands.iter().filter(|(name, _)| !name.starts_with(['e', 'c'])).collect();
        inner.sort_by_key(|(_, (_, micros))| std::cmp::Reverse(*micros));
        let each = |value: u64| value as f64 / calls as f64;
        let commands: Vec<String> = inner
            .iter()
            .map(|(name, (count, micros))| {
                format!("{name} {:.1}×{:.1}", each(*count), *micros as f64 / (*count).max(1) as f64)
            })
            .collect();
        let sum: u64 = inner.iter().map(|(_, (_, micros))| micros).sum();
        vec![name.to_owned(), format!("{:.1}", each(whole)), format!("{:.1}", each(sum)), commands.join(", ")]
    }
}

/// Records a replica under each load by `perf`, and writes its reports to `folder`.
pub async fn replica_time(folder: &Path) -> anyhow::Result<()> {
    let redis = Redis::start().await?;
    let mut connection = redis.connect().await?;
    fill::containers(&mut connection, 2 * POOL).await?;
    let sessions = fill::sessions(&mut connection, POOL, false).await?;
    let replica = Replica::start(&redis, "").await?;
    for work in [Work::CreateRelease, Work::Heartbeat, Work::Heartbeats, Work::List, Work::Status] {
        let file = folder.join(format!("perf-{}.data", work.name().replace(' ', "-")));
        let mut record = Command::new("perf")
            .args([
                "record",
                "--quiet",
                "-F",
                "997",
                "--call-graph",
                "dwarf,16384",
                "-p",
                &replica.process.id().to_string(),
            ])
            .arg("-o")
            .arg(&file)
            .args(["--", "sleep", "4"])
            .spawn()
            .context("perf cannot be started (Debian: linux-perf)")?;
        let connections = if work == Work::Heartbeats { 4 } else { USUAL };
        let window = Window { warm: Duration::ZERO, time: Duration::from_secs(6) };
        load::run(&[replica.process.address], Flow::all(work, connections, &sessions), window, None).await?;
        record.wait().await?;
        for (kind, more) in [("self", vec!["--no-children"]), ("total", vec!["--children"])] {
            let report = Command::new("perf")
                .args(["report", "--stdio", "-g", "none", "--percent-limit", "0.4", "-i"])
                .arg(&file)
                .args(more)
                .output()
                .await?;
            std::fs::write(file.with_extension(format!("{kind}.txt")), report.stdout)?;
        }
        eprintln!("  {}: {}", work.name(), file.display());
    }
    Ok(())
}
