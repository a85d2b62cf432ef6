//! BullMQ's take of a job on Redis: the nearest to a lease that a widely used queue has. Without HTTP.

use std::process::Stdio;

use anyhow::Context as _;
use tokio::process::Command;

use super::{installed, source};
use crate::{
    plan::{Plan, USUAL},
    servers::Redis,
};

pub const NAME: &str = "BullMQ: a job taken and completed, without HTTP; one process";

/// Jobs taken and completed a second.
pub async fn measure(redis: &Redis, plan: &Plan) -> anyhow::Result<f64> {
    let modules = installed("node/node_modules/bullmq")?;
    let output = Command::new("node")
        .arg(source("bullmq.cjs"))
        .arg(modules)
        .args([redis.process.address.port().to_string(), USUAL.to_string()])
        .arg((plan.window.time * plan.repetitions as u32).as_millis().to_string())
        .stderr(Stdio::inherit())
        .output()
        .await
        .context("node cannot be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().with_context(|| format!("it ended with {} and said {text:?}", output.status))
}
