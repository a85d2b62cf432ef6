//! `--watch`: what is shown is shown again when it changes.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use super::output::Print as _;
use crate::client::ClientError;

#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Watch {
    /// Stay, and show it again whenever it changes
    #[arg(short, long)]
    watch: bool,
    /// How often to look with --watch, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    interval: u64,
}

impl Watch {
    /// Shows what `look` gives: once, or until it is interrupted. In a terminal each look takes the place of the one before.
    pub(super) async fn show(self, mut look: impl AsyncFnMut() -> anyhow::Result<String>) -> anyhow::Result<ExitCode> {
        let mut shown = look().await?;
        if !self.watch {
            return shown.print();
        }
        let clear = if io::stdout().is_terminal() { "\x1b[H\x1b[2J" } else { "" };
        let mut failing = false;
        while print(clear, &shown)? {
            let before = shown;
            shown = loop {
                tokio::time::sleep(Duration::from_secs(self.interval)).await;
                match look().await {
                    Ok(text) if text != before => break text,
                    Ok(_) => failing = false,
                    Err(error) if error.downcast_ref().is_some_and(ClientError::is_passing) => {
                        if !failing {
                            eprintln!("leasehold: {error:#}; looking again");
                        }
                        failing = true;
                    }
                    Err(error) => return Err(error),
                }
            };
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Whether there is still somebody who reads it.
fn print(clear: &str, text: &str) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(format!("{clear}{text}").as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        done => done.map(|()| true),
    }
}
