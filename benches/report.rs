//! What was found, as Markdown for readers and as JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    machine::Machine,
    measure::{Measured, Subject},
    work::Work,
};

/// A whole run.
#[derive(Serialize)]
pub struct Report {
    pub mode: &'static str,
    pub machine: Machine,
    pub goals: Vec<Goal>,
    /// Parts that could not be measured, and why.
    pub failures: Vec<String>,
    pub sections: Vec<Section>,
    pub measurements: Vec<Measurement>,
}

/// One subject at one work.
#[derive(Serialize)]
pub struct Measurement {
    pub section: &'static str,
    pub subject: String,
    pub work: &'static str,
    pub connections: usize,
    pub unit: &'static str,
    /// Medians; the latencies are null where they were not taken.
    pub per_second: f64,
    pub p50_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub p999_us: Option<f64>,
    /// Of the server alone, of the Redis behind it, and of the load.
    pub cpu_us: f64,
    pub redis_cpu_us: f64,
    pub load_cpu_us: f64,
    pub repetitions: Vec<f64>,
}

/// What was to be reached.
#[derive(Serialize)]
pub struct Goal {
    pub name: String,
    pub wanted: String,
    pub measured: String,
    pub reached: bool,
}

/// A table with what must be said about it.
#[derive(Serialize)]
pub struct Section {
    pub title: String,
    pub text: String,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Section {
    pub fn new(title: impl Into<String>, text: impl Into<String>, head: &[&str]) -> Self {
        let head = head.iter().map(ToString::to_string).collect();
        Self { title: title.into(), text: text.into(), head, rows: Vec::new() }
    }
}

impl Report {
    pub fn new(mode: &'static str, machine: Machine) -> Self {
        Self { mode, machine, goals: Vec::new(), failures: Vec::new(), sections: Vec::new(), measurements: Vec::new() }
    }

    /// Keeps the numbers of one measurement.
    pub fn keep(
        &mut self,
        section: &'static str,
        subject: &Subject,
        work: Work,
        connections: usize,
        measured: &Measured,
    ) {
        let latency = |value: fn(&crate::load::Sample) -> f64| {
            let median = measured.median_of(value);
            (median > 0.0).then_some(median)
        };
        self.measurements.push(Measurement {
            section,
            subject: subject.name.clone(),
            work: work.name(),
            connections,
            unit: work.unit(),
            per_second: measured.per_second(),
            p50_us: latency(|sample| sample.p50),
            p99_us: latency(|sample| sample.p99),
            p999_us: latency(|sample| sample.p999),
            cpu_us: measured.median_of(|sample| sample.cpu),
            redis_cpu_us: measured.median_of(|sample| sample.redis_cpu),
            load_cpu_us: measured.median_of(|sample| sample.load_cpu),
            repetitions: measured.samples.iter().map(|sample| sample.per_second).collect(),
        });
    }

    /// A goal of at least `wanted`.
    pub fn goal_at_least(&mut self, name: impl Into<String>, wanted: f64, measured: f64) {
        self.goal(name, format!("at least {wanted}"), format!("{measured:.2}"), measured >= wanted);
    }

    /// A goal of at most `wanted`.
    pub fn goal_at_most(&mut self, name: impl Into<String>, wanted: f64, measured: f64) {
        self.goal(name, format!("at most {wanted}"), format!("{measured:.2}"), measured <= wanted);
    }

    fn goal(&mut self, name: impl Into<String>, wanted: String, measured: String, reached: bool) {
        self.goals.push(Goal { name: name.into(), wanted, measured, reached });
    }

    pub fn markdown(&self) -> String {
        let mut out = format!("# Benchmark ({} run)\n\n{}\n", self.mode, self.machine.text());
        out.push_str("\n![Requests by connections, and what growth costs](results.svg)\n");
        for failure in &self.failures {
            let _ = write!(out, "\n**Could not be measured**: {failure}\n");
        }
        if !self.goals.is_empty() {
            let rows = self.goals.iter().map(|goal| {
                let reached = if goal.reached { "reached" } else { "**not reached**" };
                vec![goal.name.clone(), goal.wanted.clone(), goal.measured.clone(), reached.to_owned()]
            });
            out.push_str("\n## Goals\n\n");
            table(&mut out, &["goal", "wanted", "measured", ""].map(str::to_owned), &rows.collect::<Vec<_>>());
        }
        for section in &self.sections {
            let _ = write!(out, "\n## {}\n\n", section.title);
            if !section.text.is_empty() {
                let _ = write!(out, "{}\n\n", section.text);
            }
            table(&mut out, &section.head, &section.rows);
        }
        out
    }
}

fn table(out: &mut String, head: &[String], rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "| {} |", head.join(" | "));
    let right = head.iter().skip(1).map(|_| "--:").collect::<Vec<_>>().join("|");
    let _ = writeln!(out, "|---|{right}|");
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
}

/// A number with thin groups: 12 345.
pub fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Microseconds as milliseconds.
pub fn millis(micros: f64) -> String {
    format!("{:.2}", micros / 1000.0)
}

/// Bytes in the unit that reads best.
pub fn bytes(bytes: f64) -> String {
    if bytes < 10_240.0 { format!("{bytes:.0} B") } else { format!("{:.1} MiB", bytes / 1024.0 / 1024.0) }
}
