//! What a run prints.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    path::Path,
};

use super::check::{Story, Verdict};

/// Violations that are printed; the history has all.
const SHOWN: usize = 20;

/// A run in words.
pub struct Report<'a> {
    pub story: &'a Story,
    pub verdict: &'a Verdict,
    pub history: &'a Path,
}

impl Display for Report<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { story, verdict, history } = self;
        writeln!(out, "seed {}, {}", story.start.seed, story.start.topology)?;
        self.load(out)?;
        self.faults(out)?;
        let late = verdict.latest_end as f64 / 1e6;
        writeln!(
            out,
            "abandoned leases that were timed: {}, the latest ended {late:.2} s after its time",
            verdict.abandoned
        )?;
        if let Some(free) = story.end.free {
            writeln!(out, "all free {:.2} s after the last client left", (free - story.end.quiet) as f64 / 1e6)?;
        }
        let unexplained = story.unexplained_recoveries();
        if unexplained > 0 {
            writeln!(out, "recoveries without a fault: {unexplained} (sentinels of a starved machine do that)")?;
        }
        writeln!(out, "violations: {}", verdict.violations.len())?;
        for violation in verdict.violations.iter().take(SHOWN) {
            let at = violation.at as f64 / 1e6;
            writeln!(out, "  at {at:.3} s, {}: {}", violation.promise, violation.evidence)?;
        }
        write!(out, "history: {}", history.display())
    }
}

impl Report<'_> {
    fn load(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let story = self.story;
        let refused = story.uses.iter().filter(|one| !one.accepted).count();
        writeln!(
            out,
            "load: {} calls, {} sessions held, {} uses of containers ({refused} refused), {} events",
            story.calls.len(),
            self.verdict.held,
            story.uses.len(),
            story.events.len()
        )?;
        let mut counts: BTreeMap<_, BTreeMap<String, usize>> = BTreeMap::new();
        for call in &story.calls {
            let status = call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            let outcome = call.code.as_ref().map_or(status, Clone::clone);
            *counts.entry(call.kind).or_default().entry(outcome).or_default() += 1;
        }
        for (kind, outcomes) in counts {
            let outcomes: Vec<_> = outcomes.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
            writeln!(out, "  {kind:?}: {}", outcomes.join(", "))?;
        }
        Ok(())
    }

    fn faults(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        for fault in &self.story.faults {
            *counts.entry(fault.kind).or_default() += 1;
        }
        let counts: Vec<_> = counts.iter().map(|(kind, count)| format!("{kind:?} {count}")).collect();
        writeln!(out, "faults: {} ({})", self.story.faults.len(), counts.join(", "))
    }
}
