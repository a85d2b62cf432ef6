//! `leasehold events`

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use clap::ValueEnum;

use super::connection::Connection;
use crate::{
    client::EventFilter,
    model::{ContainerId, Event, RESYNC, SessionId, TargetType},
};

/// Shows events that are kept, the oldest first; or with -f what happens from now on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Go on with what happens, until interrupted. Comes back by itself when the connection breaks, and misses nothing that is kept
    #[arg(short, long)]
    follow: bool,
    /// Where to begin [default: `now` with -f, else `start`]
    #[arg(long, value_enum, value_name = "WHEN")]
    since: Option<Since>,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    target_type: Option<TargetType>,
    /// Only kinds that begin with this, as `session.` or `container.state`
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only events of this session
    #[arg(long, value_name = "ID")]
    session: Option<SessionId>,
    /// Only events of this container
    #[arg(long, value_name = "ID")]
    container: Option<ContainerId>,
    /// How to show them
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Since {
    /// The oldest event that is kept
    Start,
    /// Now
    Now,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for people
    #[default]
    Text,
    /// The API's own JSON, one object a line
    Json,
}

pub(super) async fn events(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let Args { follow, target_type, kind, session, container, .. } = args;
    let oldest = match args.since {
        Some(since) => since == Since::Start,
        None => !follow,
    };
    let filter = EventFilter { target_type, kind, session, container };
    let mut stream = client.events(filter, oldest, follow);
    if follow && io::stderr().is_terminal() {
        eprintln!("following {}; Ctrl-C ends it", client.url());
    }
    while let Some(event) = stream.next().await? {
        if event.kind == RESYNC {
            eprintln!("leasehold: events of {} are gone here: read anew what you keep of them", event.target_type);
        }
        let line = match args.output {
            Format::Text => text(&event),
            Format::Json => serde_json::to_string(&event)?,
        };
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
            // A reader that has seen enough (`| head`) is no failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            written => written?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn text(event: &Event) -> String {
    let plain = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let head = format!("{}  {}  {}", event.at, event.target_type, event.kind);
    event.data.iter().fold(head, |line, (name, value)| format!("{line}  {name}={}", plain(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_when_what_and_to_whom() {
        let event = r#"{"id":"wine:7-1","target_type":"wine","kind":"session.ready","at":"2026-11-25T12:00:00.000Z",
                        "data":{"session":"s","token":7}}"#;
        let event: Event = serde_json::from_str(event).unwrap();
        assert_eq!(text(&event), "2026-11-25T12:00:00.000Z  wine  session.ready  session=s  token=7");
    }
}
