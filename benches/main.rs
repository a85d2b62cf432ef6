//! The benchmark: starts its own Redis, replicas and peers, measures them in one run, and writes what it found as Markdown, JSON
//! and a plot. `make bench` runs everything (about twenty minutes), `make bench-quick` a small part of each.
//! `PARTS=http,growth,line,between,desktop,replica,redis,peers` takes some parts only.
//!
//! `BENCH=profile cargo bench` records a replica by `perf` instead; `BENCH=compare OTHER=path cargo bench` compares this build with others
//! (paths with `:` between them) in one run.

mod between;
mod compare;
mod desktop;
mod fill;
mod floor;
mod growth;
mod http;
mod line;
mod load;
mod machine;
mod measure;
mod peers;
mod plan;
mod plot;
mod process;
mod profile;
mod replica;
mod report;
mod scripts;
mod servers;
mod work;

use std::path::PathBuf;

use anyhow::Context as _;

use crate::{machine::Machine, plan::Plan, report::Report};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [floor::ROLE, address, url] => floor::serve(address.parse()?, url),
        [peers::postgres::ROLE, address, url, commit] => peers::postgres::serve(address.parse()?, url, commit),
        [role, address, to @ ..] if [desktop::far::DESKTOP, desktop::far::RELAY].contains(role) => {
            desktop::far::serve(role, address.parse()?, to.first().copied())
        }
        _ if args.contains(&"--bench") => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let load = tokio::task::LocalSet::new();
            runtime.block_on(load.run_until(async {
                tokio::select! {
                    ended = run() => ended,
                    // What was started ends with the run.
                    _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
                }
            }))
        }
        // `cargo test --benches` only wants to know that it starts.
        _ => Ok(()),
    }
}

/// What is measured, in this order.
const PARTS: [&str; 8] = ["http", "growth", "line", "between", "desktop", "replica", "redis", "peers"];

/// Measures and writes.
async fn run() -> anyhow::Result<()> {
    let (plan, mode) = match std::env::var("BENCH").as_deref() {
        Ok("compare") => return compare::measure(&Plan::quick()).await,
        Ok("profile") => return profile::replica_time(&folder("profile")?).await,
        Ok("quick") => (Plan::quick(), "quick"),
        _ => (Plan::full(), "full"),
    };
    let mut report = Report::new(mode, Machine::look());
    // Nobody wants to lose twenty minutes to a part that fails: the others are written all the same.
    let parts = std::env::var("PARTS").ok();
    let wanted = |part: &str| parts.as_ref().is_none_or(|parts| parts.split(',').any(|one| one == part));
    for part in PARTS.into_iter().filter(|part| wanted(part)) {
        eprintln!("{part}");
        let measured = match part {
            "http" => http::measure(&plan, &mut report).await,
            "growth" => growth::measure(&plan, &mut report).await,
            "line" => line::measure(&plan, &mut report).await,
            "between" => between::measure(&plan, &mut report).await,
            "desktop" => desktop::measure(&plan, &mut report).await,
            "replica" => replica::measure(&plan, &mut report).await,
            "redis" => profile::redis_time(&mut report).await,
            _ => peers::measure(&plan, &mut report).await,
        };
        if let Err(error) = measured {
            eprintln!("{part} failed: {error:#}");
            report.failures.push(format!("{part}: {error:#}"));
        }
    }
    write(&report)?;
    anyhow::ensure!(report.failures.is_empty(), "not everything could be measured: {}", report.failures.join("; "));
    Ok(())
}

/// Where the results go. A quick run leaves the committed numbers alone.
fn folder(mode: &str) -> anyhow::Result<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join(if mode == "full" { "docs/benchmarks" } else { "target/benchmarks" });
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn write(report: &Report) -> anyhow::Result<()> {
    let folder = folder(report.mode)?;
    plot::draw(report, &folder.join("results.svg"))?;
    let markdown = report.markdown();
    println!("{markdown}");
    std::fs::write(folder.join("results.md"), markdown)?;
    let json = serde_json::to_string_pretty(report)? + "\n";
    std::fs::write(folder.join("results.json"), json).context("the results")?;
    eprintln!("written to {}", folder.display());
    Ok(())
}
