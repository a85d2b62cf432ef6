//! The design that the guide describes: a FastAPI service whose pool is in memory behind an asyncio lock.

use std::process::{Command, Stdio};

use super::{installed, source};
use crate::{
    process::{Process, free_address},
    servers::KEEP_ALIVE,
};

pub async fn start() -> anyhow::Result<Process> {
    let python = installed("python/bin/python")?;
    let address = free_address()?;
    let mut command = Command::new(python);
    command
        .args(["-m", "uvicorn", "fastapi_pool:app", "--no-access-log", "--log-level", "warning", "--host", "127.0.0.1"])
        .args(["--timeout-keep-alive", &KEEP_ALIVE.as_secs().to_string()])
        .args(["--port", &address.port().to_string(), "--app-dir"])
        .arg(source(""))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stderr(Stdio::inherit());
    Process::start("FastAPI", &mut command, address).await
}
