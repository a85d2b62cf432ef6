//! `leasehold explain`

use std::process::ExitCode;

use super::{
    connection::Connection,
    output::{Output, Row, or_dash, table, word},
    watch::Watch,
};
use crate::model::{Explanation, OutReason, TargetType};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The type of container
    target_type: TargetType,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    watch: Watch,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn explain(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    args.watch
        .show(async || {
            let explanation = client.explain(&args.target_type).await?;
            args.output.told(&explanation, &explanation.reasons, || for_people(&explanation))
        })
        .await
}

impl Row for OutReason {
    const HEADS: &'static [&'static str] = &["REASON", "COUNT", "DETAIL", "WHAT WOULD HELP"];
    const NARROW: usize = 4;

    fn name(&self) -> String {
        word(self.reason)
    }

    fn cells(&self) -> Vec<String> {
        vec![word(self.reason), self.count.to_string(), self.detail.clone(), self.help.clone()]
    }
}

/// The sentence, then each reason with what would help and whom it concerns.
fn for_people(explanation: &Explanation) -> String {
    let mut text = format!("{}.\n", explanation.summary);
    for one in &explanation.reasons {
        text += &format!("\n{}\n  help: {}\n", one.detail, one.help);
        let rows = one.containers.iter().map(|container| {
            vec![
                format!("  {}", container.id),
                container.name.clone(),
                or_dash(container.session_id.as_deref()),
                or_dash(container.seconds.map(|seconds| format!("{seconds}s"))),
                or_dash(container.because.as_deref()),
            ]
        });
        if !one.containers.is_empty() {
            text += &table(&["  CONTAINER", "NAME", "SESSION", "TIME", "WHY"], rows);
            let more = one.count.saturating_sub(one.containers.len() as u64);
            if more > 0 {
                text += &format!("  and {more} more\n");
            }
        }
    }
    text
}
