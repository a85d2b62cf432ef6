//! `leasehold audit`

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use serde::Serialize;

use super::{
    connection::Connection,
    exit,
    output::{Output, Row, or_dash},
};
use crate::model::{Finding, TargetType};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the data of this type [default: of all]
    #[arg(long = "type", value_name = "TYPE")]
    target_type: Option<TargetType>,
    /// Repair what is found
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    looked: u64,
    findings: Vec<Finding>,
}

pub(super) async fn audit(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let mut report = Report::default();
    let mut cursor = None;
    loop {
        let part = client.audit(args.target_type.as_ref(), args.repair, cursor.as_deref()).await?;
        report.looked += part.looked;
        report.findings.extend(part.findings);
        cursor = part.next;
        if cursor.is_none() {
            break;
        }
        if io::stderr().is_terminal() {
            eprint!("\rlooked at {}, found {}", report.looked, report.findings.len());
        }
    }
    let left = report.findings.iter().filter(|finding| !finding.repaired).count();
    eprintln!("Looked at {}: {} faults, {left} of them not repaired.", report.looked, report.findings.len());
    let shown = args.output.part(&report, &report.findings)?;
    Ok(if left == 0 { shown } else { exit::FAILURE.into() })
}

impl Row for Finding {
    const HEADS: &'static [&'static str] = &["TYPE", "FAULT", "ID", "PLACE", "REPAIRED"];
    const NARROW: usize = 5;

    fn name(&self) -> String {
        self.id.clone()
    }

    fn cells(&self) -> Vec<String> {
        let shown = |text: &str| or_dash((!text.is_empty()).then_some(text));
        vec![
            self.target_type.to_string(),
            self.fault.as_str().to_owned(),
            shown(&self.id),
            shown(&self.place),
            if self.repaired { "yes" } else { "no" }.to_owned(),
        ]
    }
}
