//! `leasehold webhooks`

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::{
    connection::Connection,
    output::{Format, Output, Row, or_dash},
    watch::Watch,
};
use crate::model::{DeadLetter, DeliveryStatus, Replayed, WebhookName, WebhookStatus};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    watch: Watch,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show the events that a webhook did not take, the youngest of each type first
    Dead {
        /// The webhook
        name: WebhookName,
        /// At most so many of each type, up to 1000 [default: 100]
        #[arg(long, value_name = "COUNT")]
        limit: Option<u32>,
    },
    /// Send the events again that a webhook did not take, the oldest first
    Replay {
        /// The webhook
        name: WebhookName,
    },
}

pub(super) async fn webhooks(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    match args.verb {
        None => args.watch.show(async || listed(&client.webhooks().await?, args.output)).await,
        Some(Verb::Dead { name, limit }) => {
            let dead = client.dead_letters(&name, limit).await?;
            let shown = dead.letters.len() as u64;
            if shown < dead.total {
                eprintln!("{shown} of {} dead letters are shown.", dead.total);
            }
            args.output.part(&dead, &dead.letters)
        }
        Some(Verb::Replay { name }) => {
            let replayed = client.replay(&name).await?;
            eprintln!("{name}: {} dead letters are sent again.", replayed.replayed);
            args.output.one(&replayed)
        }
    }
}

fn listed(webhooks: &[WebhookStatus], output: Output) -> anyhow::Result<String> {
    // A row is a webhook and a type: its name would come once for each.
    if output.format() == Format::Name {
        return Ok(webhooks.iter().map(|webhook| webhook.name.clone() + "\n").collect());
    }
    output.part_text(&webhooks, &webhooks.iter().flat_map(rows).collect::<Vec<_>>())
}

/// One for each type; a webhook that no type is delivered to has one as well.
fn rows(webhook: &WebhookStatus) -> Vec<Delivery<'_>> {
    if webhook.deliveries.is_empty() {
        return vec![Delivery { webhook, of_type: None }];
    }
    webhook.deliveries.iter().map(|one| Delivery { webhook, of_type: Some(one) }).collect()
}

/// One type's events on their way to one webhook.
#[derive(Serialize)]
struct Delivery<'a> {
    webhook: &'a WebhookStatus,
    of_type: Option<&'a DeliveryStatus>,
}

impl Row for Delivery<'_> {
    const HEADS: &'static [&'static str] =
        &["NAME", "TYPE", "STATE", "BEHIND", "DEAD", "AGAIN", "ATTEMPTS", "ERROR", "REPLICA", "URL"];
    const NARROW: usize = 8;

    fn name(&self) -> String {
        self.webhook.name.clone()
    }

    fn cells(&self) -> Vec<String> {
        let one = self.of_type;
        vec![
            self.webhook.name.clone(),
            or_dash(one.map(|one| &one.target_type)),
            or_dash(one.map(state)),
            or_dash(one.map(|one| one.behind)),
            or_dash(one.map(|one| one.dead)),
            or_dash(one.map(|one| one.again)),
            or_dash(one.map(|one| one.attempts)),
            or_dash(one.and_then(|one| one.error.as_ref())),
            or_dash(one.and_then(|one| one.replica.as_ref())),
            self.webhook.url.clone(),
        ]
    }
}

/// What goes on, in a word.
fn state(one: &DeliveryStatus) -> &'static str {
    match one {
        DeliveryStatus { replica: None, .. } => "nobody",
        DeliveryStatus { attempts: 1.., .. } => "failing",
        DeliveryStatus { again: 1.., .. } => "replaying",
        _ => "delivering",
    }
}

impl Row for DeadLetter {
    const HEADS: &'static [&'static str] =
        &["EVENT", "KIND", "GIVEN UP AT", "ATTEMPTS", "ERROR", "HAPPENED AT", "SESSION", "CONTAINER"];
    const NARROW: usize = 5;

    fn name(&self) -> String {
        self.event.id.clone()
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.event.id.clone(),
            self.event.kind.clone(),
            self.given_up_at.clone(),
            self.attempts.to_string(),
            self.error.clone(),
            self.event.at.clone(),
            or_dash(self.event.text("session")),
            or_dash(self.event.text("container")),
        ]
    }
}

impl Row for Replayed {
    const HEADS: &'static [&'static str] = &["REPLAYED"];
    const NARROW: usize = 1;

    fn name(&self) -> String {
        self.replayed.to_string()
    }

    fn cells(&self) -> Vec<String> {
        vec![self.replayed.to_string()]
    }
}
