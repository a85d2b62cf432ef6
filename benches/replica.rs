//! What a replica does besides answering: waking waiters, discovering, and taking memory.

use std::time::Instant;

use hdrhistogram::Histogram;

use crate::{
    fill,
    load::{self, Connection},
    plan::{POOL, Plan},
    report::{Report, Section, bytes, grouped, millis},
    servers::{Redis, Replica, TYPE, eventually},
    work::{Flow, Work, request},
};

/// Everything that this part measures.
pub async fn measure(plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let mut section = Section::new("A replica besides", "", &["what", "measured"]);
    eprintln!("  wake-up");
    wake_up(plan, &mut section).await?;
    eprintln!("  memory");
    memory(plan, &mut section).await?;
    eprintln!("  discovery");
    discovery(plan, &mut section).await?;
    report.sections.push(section);
    Ok(())
}

/// From the release on one replica to the answer of a waiter on another.
async fn wake_up(plan: &Plan, section: &mut Section) -> anyhow::Result<()> {
    let redis = Redis::start().await?;
    let mut connection = redis.connect().await?;
    fill::containers(&mut connection, 1).await?;
    let (here, there) = (Replica::start(&redis, "").await?, Replica::start(&redis, "").await?);
    let mut holder = Connection::open(here.process.address).await?;
    let create = request("POST", "/sessions", &format!("{{\"target_type\":\"{TYPE}\",\"wait_seconds\":30}}"));
    let mut held = id_of(holder.exchange(&create).await?)?;
    let mut times: Histogram<u64> = Histogram::new(3)?;
    for _ in 0..plan.wakes {
        let mut waiter = Connection::open(there.process.address).await?;
        let create = create.clone();
        let waiting = tokio::task::spawn_local(async move {
            let id = id_of(waiter.exchange(&create).await?);
            id.map(|id| (id, Instant::now()))
        });
        eventually("a waiter in line", async || Ok((fill::size(&mut connection, "queue").await? == 1).then_some(())))
            .await?;
        let released = Instant::now();
        holder.exchange(&request("DELETE", &format!("/sessions/{held}"), "")).await?;
        let (id, answered) = waiting.await??;
        times.saturating_record((answered - released).as_micros() as u64);
        held = id;
    }
    let at = |quantile| millis(times.value_at_quantile(quantile) as f64);
    section.rows.push(vec![
        format!("from a release on one replica to the waiter's answer on another, {} times", plan.wakes),
        format!("p50 {} ms, p99 {} ms", at(0.5), at(0.99)),
    ]);
    Ok(())
}

fn id_of((status, body): (u16, &[u8])) -> anyhow::Result<String> {
    let answer: serde_json::Value = serde_json::from_slice(body)?;
    match answer["id"].as_str() {
        Some(id) if status == 201 => Ok(id.to_owned()),
        _ => anyhow::bail!("a create was answered {status} {answer}"),
    }
}

/// What a replica has in memory at rest and after load.
async fn memory(plan: &Plan, section: &mut Section) -> anyhow::Result<()> {
    let redis = Redis::start().await?;
    fill::containers(&mut redis.connect().await?, POOL).await?;
    let replica = Replica::start(&redis, "").await?;
    let rest = replica.process.resident()?;
    section.rows.push(vec!["memory of a replica at rest".to_owned(), bytes(rest as f64)]);
    let connections = 256;
    for _ in 0..plan.repetitions {
        let flows = Flow::all(Work::CreateRelease, connections, &[]);
        load::run(&[replica.process.address], flows, plan.window, None).await?;
    }
    let loaded = replica.process.resident()?;
    section
        .rows
        .push(vec![format!("the same after creates and releases on {connections} connections"), bytes(loaded as f64)]);
    Ok(())
}

/// From the start of a replica whose provider lists many containers until all are available; and a look that finds no change.
async fn discovery(plan: &Plan, section: &mut Section) -> anyhow::Result<()> {
    let redis = Redis::start().await?;
    let mut connection = redis.connect().await?;
    let mut listed = "[[provider]]\nname = \"farm\"\nkind = \"static\"\n".to_owned();
    for number in 0..plan.discovered {
        listed.push_str(&format!(
            "[[provider.container]]\nname = \"{number}\"\ntype = \"{TYPE}\"\nhost = \"127.0.0.1\"\nports = {{ vnc = {} }}\n",
            5900 + number % 50_000
        ));
    }
    let began = Instant::now();
    let replica = Replica::start(&redis, &listed).await?;
    let started = began.elapsed();
    eventually("all containers available", async || {
        Ok((fill::size(&mut connection, "available").await? == plan.discovered as u64).then_some(()))
    })
    .await?;
    let count = grouped(plan.discovered as f64);
    let found = began.elapsed().checked_sub(started).unwrap_or_default();
    section.rows.push(vec![
        format!("from a replica's listening to {count} discovered containers being available"),
        format!("{} ms", millis(found.as_micros() as f64)),
    ]);
    let mut http = Connection::open(replica.process.address).await?;
    let refresh = request("POST", "/containers/refresh", "");
    let mut times = Vec::new();
    for _ in 0..plan.repetitions {
        let began = Instant::now();
        let (status, _) = http.exchange(&refresh).await?;
        anyhow::ensure!(status == 200, "a refresh was answered {status}");
        times.push(began.elapsed().as_micros() as f64);
    }
    section.rows.push(vec![
        format!("a refresh that finds {count} containers unchanged"),
        format!("{} ms", millis(crate::measure::median(times))),
    ]);
    Ok(())
}
