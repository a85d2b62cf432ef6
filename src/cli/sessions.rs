//! `leasehold sessions`

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Subcommand;

use super::{
    connection::Connection,
    output::{Output, Row, or_dash, word},
    watch::Watch,
};
use crate::{
    client::{CreateSession, OnShortage, SessionFilter},
    model::{ContainerId, FencingToken, Session, SessionId, TargetType},
};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List sessions (what `leasehold sessions` alone does)
    List(Filter),
    /// Show one session
    Get {
        /// Its id
        id: SessionId,
        /// Wait up to this many seconds while it is queued
        #[arg(long, value_name = "SECONDS")]
        wait: Option<u64>,
    },
    /// Create a session. Nobody renews it: without heartbeats it ends after a minute at most
    Create(Create),
    /// End a session, or take it out of the line
    Release {
        /// Its id
        id: SessionId,
        /// Refuse unless the session has this fencing token
        #[arg(long, value_name = "TOKEN")]
        fencing_token: Option<u64>,
    },
}

#[derive(Debug, clap::Args)]
struct Filter {
    /// Only sessions of this type
    #[arg(long = "type", value_name = "TYPE")]
    target_type: Option<TargetType>,
    /// Also sessions that have ended
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    watch: Watch,
}

#[derive(Debug, clap::Args)]
struct Create {
    /// The type of container
    target_type: TargetType,
    /// Seconds that a heartbeat renews it for [default: the server's, 60]
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
    /// Wait in line up to this many seconds, at most the server's longest wait of one call (60) [default: 0]
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// Keep a place in line when nothing is available after the wait
    #[arg(long)]
    queue: bool,
    /// Head start in the line, in seconds [default: 0]
    #[arg(long, value_name = "SECONDS")]
    priority: Option<u32>,
    /// The longest that it may last, in seconds [default: the server's]
    #[arg(long, value_name = "SECONDS")]
    max_duration: Option<u64>,
    /// The longest without a heartbeat that says `active`, or input of a viewer that drives, in seconds [default: the server's]
    #[arg(long, value_name = "SECONDS")]
    idle: Option<u64>,
    /// Rather the container that your last session with this word had
    #[arg(long, value_name = "WORD")]
    affinity: Option<String>,
    /// This container and no other
    #[arg(long, value_name = "ID")]
    container: Option<ContainerId>,
    /// A JSON object to keep with the session
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
}

pub(super) async fn sessions(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let filter = match args.verb {
        Some(Verb::Get { id, wait }) => {
            return args.output.one(&client.session(id, wait.map(Duration::from_secs)).await?);
        }
        Some(Verb::Create(create)) => return args.output.one(&client.create(&create.request()?).await?),
        Some(Verb::Release { id, fencing_token }) => {
            client.release(id, fencing_token.map(FencingToken)).await?;
            eprintln!("session {id} released");
            return Ok(ExitCode::SUCCESS);
        }
        Some(Verb::List(filter)) => filter,
        None => args.filter,
    };
    let watch = filter.watch;
    let filter = SessionFilter { target_type: filter.target_type, state: None, include_ended: filter.all };
    watch.show(async || args.output.list_text(&client.sessions(&filter).await?)).await
}

impl Create {
    fn request(self) -> anyhow::Result<CreateSession> {
        let metadata = self.metadata.map(|text| serde_json::from_str(&text)).transpose();
        Ok(CreateSession {
            ttl_seconds: self.ttl,
            wait_seconds: self.wait,
            on_shortage: self.queue.then_some(OnShortage::Queue),
            priority: self.priority,
            max_duration_seconds: self.max_duration,
            idle_seconds: self.idle,
            affinity: self.affinity,
            container_id: self.container,
            metadata: metadata.context("--metadata must be a JSON object, such as '{\"job\": 7}'")?.unwrap_or_default(),
            ..CreateSession::new(self.target_type)
        })
    }
}

impl Row for Session {
    const HEADS: &'static [&'static str] = &[
        "ID",
        "TYPE",
        "STATE",
        "OWNER",
        "CONTAINER",
        "EXPIRES IN",
        "CREATED",
        "VNC",
        "POSITION",
        "PRIORITY",
        "ACTIVE",
        "TOKEN",
        "ENDED",
    ];
    const NARROW: usize = 7;

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn cells(&self) -> Vec<String> {
        let state = match self.end_reason {
            Some(reason) => format!("{} ({})", word(self.state), reason.as_str()),
            None => word(self.state),
        };
        let active = self.activity.as_ref().and_then(|activity| activity.last_active_ms_ago);
        let vnc = self.container.as_ref().and_then(|container| container.endpoints.get("vnc"));
        vec![
            self.id.to_string(),
            self.target_type.to_string(),
            state,
            self.owner.to_string(),
            or_dash(self.container.as_ref().map(|container| &container.name)),
            or_dash(self.lease.as_ref().map(|lease| format!("{}s", lease.expires_in_ms / 1000))),
            self.created_at.clone(),
            or_dash(vnc.and_then(|vnc| vnc.address.as_deref().or(vnc.internal.as_deref()))),
            or_dash(self.ticket.as_ref().map(|ticket| ticket.position)),
            or_dash(self.ticket.as_ref().map(|ticket| ticket.priority)),
            or_dash(active.map(|ago| format!("{}s ago", ago / 1000))),
            or_dash(self.lease.as_ref().map(|lease| lease.fencing_token)),
            or_dash(self.ended_at.as_deref()),
        ]
    }
}
