//! `leasehold demo-target`

use std::{net::SocketAddr, process::ExitCode};

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::signals::Signals;
use crate::{
    config::{LogConfig, LogFormat},
    demo::{self, Desktop},
    telemetry,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The address to listen on; port 0 takes a free one, which the log names
    #[arg(long, default_value = "127.0.0.1:5900", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What the desktop is called
    #[arg(long, default_value = "demo")]
    name: String,
}

pub(super) async fn demo_target(args: Args) -> anyhow::Result<ExitCode> {
    telemetry::init(&LogConfig { format: LogFormat::Text, ..LogConfig::default() }).map_err(anyhow::Error::msg)?;
    let mut signals = Signals::hear()?;
    let listener = TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let shutdown = CancellationToken::new();
    let serving = demo::serve(listener, Desktop::new(args.name), shutdown.clone());
    let end_by_signal = async {
        signals.next().await;
        shutdown.cancel();
    };
    let (served, ()) = tokio::join!(serving, end_by_signal);
    served?;
    Ok(ExitCode::SUCCESS)
}
