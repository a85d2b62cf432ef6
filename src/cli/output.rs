//! What goes to stdout: tables for people, JSON and names for programs.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// How an answer is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Columns for people
    #[default]
    Table,
    /// More columns
    Wide,
    /// The API's own JSON
    Json,
    /// Ids only, one a line
    Name,
}

#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Output {
    /// How to show it
    #[arg(short, long, value_enum, default_value_t, global = true, value_name = "FORMAT")]
    output: Format,
}

/// A kind of thing that is shown as rows.
pub(super) trait Row: Serialize {
    /// The heads of the columns; those after the first [`Self::NARROW`] are shown by `-o wide` only.
    const HEADS: &'static [&'static str];
    /// How many columns an ordinary table has.
    const NARROW: usize;

    /// What `-o name` shows.
    fn name(&self) -> String;

    /// One cell for each head.
    fn cells(&self) -> Vec<String>;
}

impl Output {
    /// The form that was asked for.
    pub(super) fn format(self) -> Format {
        self.output
    }

    /// Shows one thing, as itself in JSON and as the only row otherwise.
    pub(super) fn one<R: Row>(self, row: &R) -> anyhow::Result<ExitCode> {
        match self.output {
            Format::Json => json(row),
            _ => Ok(self.rows(std::slice::from_ref(row))),
        }?
        .print()
    }

    /// Shows rows that are a part of `whole`, which is what JSON shows.
    pub(super) fn part<R: Row>(self, whole: &impl Serialize, rows: &[R]) -> anyhow::Result<ExitCode> {
        self.part_text(whole, rows)?.print()
    }

    /// A list, as it is shown.
    pub(super) fn list_text<R: Row>(self, rows: &[R]) -> anyhow::Result<String> {
        self.part_text(&rows, rows)
    }

    /// Rows that are a part of `whole`, as they are shown.
    pub(super) fn part_text<R: Row>(self, whole: &impl Serialize, rows: &[R]) -> anyhow::Result<String> {
        match self.output {
            Format::Json => json(whole),
            _ => Ok(self.rows(rows)),
        }
    }

    /// The same where people are told more than an ordinary table says.
    pub(super) fn told<R: Row>(
        self,
        whole: &impl Serialize,
        rows: &[R],
        for_people: impl FnOnce() -> String,
    ) -> anyhow::Result<String> {
        match self.output {
            Format::Table => Ok(for_people()),
            _ => self.part_text(whole, rows),
        }
    }

    fn rows<R: Row>(self, rows: &[R]) -> String {
        let columns = match self.output {
            Format::Name => return rows.iter().map(|row| row.name() + "\n").collect(),
            Format::Wide => R::HEADS.len(),
            Format::Table | Format::Json => R::NARROW,
        };
        table(&R::HEADS[..columns], rows.iter().map(|row| row.cells().into_iter().take(columns).collect()))
    }
}

/// A table without lines, as wide as it needs to be: it may be cut, grepped and copied.
pub(super) fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(heads);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// What is absent, in a cell.
pub(super) fn or_dash(text: Option<impl ToString>) -> String {
    text.map_or_else(|| "-".to_owned(), |text| text.to_string())
}

/// A word as the API spells it.
pub(super) fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => other.map_or_else(|_| "-".to_owned(), |value| value.to_string()),
    }
}

fn json(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// Text that is data.
pub(super) trait Print {
    /// Writes it to stdout. A reader that has seen enough (`| head`) is no failure.
    fn print(&self) -> anyhow::Result<ExitCode>;
}

impl Print for String {
    fn print(&self) -> anyhow::Result<ExitCode> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(self.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_aligned_columns_and_no_trailing_space() {
        let text = table(&["ID", "TYPE"], [vec!["one".into(), "wine".into()], vec!["twenty".into(), "-".into()]]);
        assert_eq!(text, "ID      TYPE\none     wine\ntwenty  -\n");
    }
}
