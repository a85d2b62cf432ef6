//! `leasehold containers`

use std::process::ExitCode;

use clap::Subcommand;

use super::{
    connection::Connection,
    output::{Output, Row, or_dash, word},
    watch::Watch,
};
use crate::{
    client::ContainerFilter,
    model::{Container, ContainerId, TargetType},
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
    /// List containers (what `leasehold containers` alone does)
    List(Filter),
    /// Show one container
    Get {
        /// Its id
        id: ContainerId,
    },
}

#[derive(Debug, clap::Args)]
struct Filter {
    /// Only containers of this type
    #[arg(long = "type", value_name = "TYPE")]
    target_type: Option<TargetType>,
    /// Only containers that would be given out now
    #[arg(long)]
    available: bool,
    #[command(flatten)]
    watch: Watch,
}

pub(super) async fn containers(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let filter = match args.verb {
        Some(Verb::Get { id }) => return args.output.one(&client.container(&id).await?),
        Some(Verb::List(filter)) => filter,
        None => args.filter,
    };
    let watch = filter.watch;
    let filter = ContainerFilter { target_type: filter.target_type, available_only: filter.available };
    watch.show(async || args.output.list_text(&client.containers(&filter).await?)).await
}

impl Row for Container {
    const HEADS: &'static [&'static str] =
        &["ID", "NAME", "TYPE", "POOL STATE", "SESSION", "VNC", "STATE", "HEALTH", "PROVIDER", "CORDONED", "TOKEN"];
    const NARROW: usize = 6;

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn cells(&self) -> Vec<String> {
        let vnc = self.endpoints.get("vnc");
        vec![
            short(self.id.as_str()),
            self.name.clone(),
            self.target_type.to_string(),
            word(self.pool_state),
            or_dash(self.allocated_to.as_deref()),
            or_dash(vnc.and_then(|vnc| vnc.address.as_deref().or(vnc.internal.as_deref()))),
            word(self.state),
            word(self.health.status),
            self.provider.to_string(),
            match (&self.drain, self.cordoned) {
                (Some(_), _) => "draining",
                (None, true) => "yes",
                (None, false) => "no",
            }
            .to_owned(),
            or_dash(self.fencing_token),
        ]
    }
}

/// An engine's 64 digits, as the engine itself shortens them.
pub(super) fn short(id: &str) -> String {
    let digits = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits { id[..12].to_owned() } else { id.to_owned() }
}
