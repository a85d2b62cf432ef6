//! Which containers of a workload may go, and whether it may be made smaller: it must be able to choose none that a session has.

use std::{cmp::Reverse, collections::HashMap};

use crate::{
    model::{ContainerId, Keep},
    provider::{Member, Progress, Removes, Workload, WorkloadError},
};

/// Why nothing is done now: the stable word, and more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) reason: &'static str,
    pub(super) detail: String,
}

impl Stop {
    pub(super) fn new(reason: &'static str, detail: String) -> Self {
        Self { reason, detail }
    }

    pub(super) fn in_use(member: &Member) -> Self {
        Self::new("ordinal_in_use", format!("{} has the highest number and stays", member.name))
    }

    pub(super) fn word(error: &WorkloadError) -> &'static str {
        match error {
            WorkloadError::None(_) => "no_workload",
            WorkloadError::NoRight(_) => "no_right",
            WorkloadError::Changed(_) => "conflict",
            WorkloadError::Provider(_) => "failed",
        }
    }
}

/// A workload, and what each of its containers was to the pool after that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) workload: Workload,
    pub(super) keeps: HashMap<ContainerId, Keep>,
}

impl Look {
    fn keep(&self, member: &Member) -> Option<Keep> {
        self.keeps.get(&member.id).copied()
    }

    /// Those that were taken out of the pool, in the order in which they go.
    pub(super) fn leaving(&self) -> Vec<&Member> {
        self.in_order().into_iter().filter(|one| self.keep(one) == Some(Keep::Leaving)).collect()
    }

    /// Those that could be taken out of the pool, in the order in which they would go.
    pub(super) fn candidates(&self) -> Vec<&Member> {
        self.in_order().into_iter().filter(|one| self.keep(one) != Some(Keep::Leaving)).collect()
    }

    fn in_order(&self) -> Vec<&Member> {
        let mut all: Vec<_> = self.workload.members.iter().collect();
        match self.workload.removes {
            // Those that are not ready go first whatever is said of them.
            Removes::ByMark { .. } => all.sort_by_key(|one| (one.ready, Reverse(one.created))),
            Removes::FromTheTop { .. } => all.sort_by_key(|one| Reverse(one.ordinal)),
        }
        all
    }

    /// So many would go, and no other one.
    pub(super) fn ready_to_go(&self) -> usize {
        match self.workload.removes {
            Removes::ByMark { .. } => self.leaving().len(),
            Removes::FromTheTop { .. } => {
                self.in_order().iter().take_while(|one| self.keep(one) == Some(Keep::Leaving)).count()
            }
        }
    }

    /// Why none is to be taken out of the pool now: it would not go.
    pub(super) fn hindrance(&self, otherwise: &'static str) -> Option<Stop> {
        let told = |reason, why: &str| Some(Stop::new(reason, format!("{}: {why}", self.workload.name)));
        match &self.workload.progress {
            Progress::Settled => {}
            Progress::Resizing(why) => return told(otherwise, why),
            Progress::RollingOut(why) => return told("rolling_out", why),
        }
        match &self.workload.removes {
            Removes::ByMark { unmarked: Some(why) } => told("not_marked", &format!("pods are not marked: {why}")),
            Removes::ByMark { unmarked: None } => {
                let unready = |one: &&Member| !one.ready && self.is_leased(one);
                let one = self.workload.members.iter().find(unready)?;
                let why = format!("a session has {}, which is not ready and would go first", one.name);
                Some(Stop::new("leased_unready", why))
            }
            Removes::FromTheTop { highest } => {
                let there = self.in_order().first().and_then(|one| one.ordinal);
                let highest = (*highest).filter(|highest| there != Some(*highest))?;
                told("rolling_out", &format!("number {highest}, its highest, is not there"))
            }
        }
    }

    /// Why those that are out of the pool do not go yet.
    pub(super) fn delay(&self, otherwise: &'static str) -> Option<Stop> {
        if let Some(stop) = self.hindrance(otherwise) {
            return Some(stop);
        }
        match self.workload.removes {
            Removes::ByMark { .. } => {
                let one = self.workload.members.iter().find(|one| !self.is_marked(one))?;
                Some(Stop::new("not_marked", format!("{} is not marked yet as what it is", one.name)))
            }
            Removes::FromTheTop { .. } => {
                let top = self.candidates().into_iter().next().filter(|_| self.ready_to_go() == 0)?;
                Some(Stop::in_use(top))
            }
        }
    }

    pub(super) fn is_leased(&self, member: &Member) -> bool {
        self.keep(member) == Some(Keep::Leased)
    }

    /// Whether a container's marks put it behind those that are to go. One that nobody has found yet is nobody's.
    fn is_marked(&self, member: &Member) -> bool {
        match self.keep(member) {
            Some(Keep::Leaving) => member.marked == Some(Keep::Leaving),
            Some(Keep::Leased) => member.marked == Some(Keep::Leased),
            // One that was given back a moment ago is as good.
            Some(Keep::Idle) => matches!(member.marked, Some(Keep::Idle | Keep::Leased)),
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, what it is to the pool, and whether it is ready; marked as what it is, the later the younger.
    fn look(removes: Removes, members: &[(&str, Option<Keep>, bool)]) -> Look {
        let member = |(at, (name, keep, ready)): (usize, &(&str, Option<Keep>, bool))| Member {
            id: name.parse().unwrap(),
            name: (*name).to_owned(),
            ready: *ready,
            created: i64::try_from(at).unwrap(),
            ordinal: Some(at as u64),
            marked: *keep,
        };
        let workload = Workload {
            name: "deployment lab/wine".to_owned(),
            replicas: members.len() as u64,
            within_reach: members.len() as u64,
            version: "1".to_owned(),
            progress: Progress::Settled,
            removes,
            members: members.iter().enumerate().map(member).collect(),
        };
        let keeps = members.iter().filter_map(|(name, keep, _)| Some((name.parse().unwrap(), (*keep)?)));
        Look { workload, keeps: keeps.collect() }
    }

    fn names(members: Vec<&Member>) -> Vec<&str> {
        members.into_iter().map(|one| one.name.as_str()).collect()
    }

    const MARKED: Removes = Removes::ByMark { unmarked: None };
    const LEASED: Option<Keep> = Some(Keep::Leased);
    const LEAVING: Option<Keep> = Some(Keep::Leaving);
    const IDLE: Option<Keep> = Some(Keep::Idle);

    fn reason(stop: Option<Stop>) -> Option<&'static str> {
        stop.map(|stop| stop.reason)
    }

    #[test]
    fn those_that_are_not_ready_go_first_and_then_the_youngest() {
        let look = look(MARKED, &[("a", IDLE, true), ("b", IDLE, false), ("c", LEAVING, true), ("d", LEASED, true)]);
        assert_eq!(names(look.candidates()), ["b", "d", "a"]);
        assert_eq!((names(look.leaving()), look.ready_to_go()), (vec!["c"], 1));
        assert_eq!(look.delay("calm"), None);
    }

    #[test]
    fn a_leased_one_that_is_not_ready_and_a_mark_that_is_not_written_hold_up() {
        let unready = look(MARKED, &[("a", LEASED, false), ("b", LEAVING, true)]);
        assert_eq!(reason(unready.hindrance("calm")), Some("leased_unready"));
        for (at, keep, marked) in [
            (0, LEASED, IDLE),
            (0, LEASED, None),
            (0, IDLE, LEAVING),
            (0, IDLE, None),
            (1, LEAVING, IDLE),
            (1, LEAVING, None),
        ] {
            let members = if at == 0 {
                [("a", keep, true), ("b", LEAVING, true)]
            } else {
                [("a", LEASED, true), ("b", keep, true)]
            };
            let mut look = look(MARKED, &members);
            assert_eq!(look.delay("calm"), None);
            look.workload.members[at].marked = marked;
            assert_eq!(
                (look.hindrance("calm"), reason(look.delay("calm"))),
                (None, Some("not_marked")),
                "{keep:?} as {marked:?}"
            );
        }
        let new = look(MARKED, &[("a", None, false), ("b", LEAVING, true)]);
        assert_eq!(new.delay("calm"), None, "nobody has what nobody has found");
        let off = look(Removes::ByMark { unmarked: Some("off".to_owned()) }, &[("a", LEAVING, true)]);
        assert_eq!(reason(off.hindrance("calm")), Some("not_marked"));
    }

    #[test]
    fn a_workload_on_its_way_is_waited_for() {
        let mut look = look(MARKED, &[("a", LEAVING, true)]);
        look.workload.progress = Progress::RollingOut("0 of 1".to_owned());
        assert_eq!(reason(look.hindrance("calm")), Some("rolling_out"));
        look.workload.progress = Progress::Resizing("1 of 2".to_owned());
        let told = Stop::new("calm", "deployment lab/wine: 1 of 2".to_owned());
        assert_eq!(look.delay("calm"), Some(told), "that is no news");
    }

    #[test]
    fn of_numbered_ones_only_those_at_the_top_go() {
        let top = |highest| Removes::FromTheTop { highest: Some(highest) };
        let above = look(top(2), &[("0", IDLE, true), ("1", LEAVING, true), ("2", LEASED, false)]);
        assert_eq!((above.ready_to_go(), reason(above.delay("calm"))), (0, Some("ordinal_in_use")));
        assert_eq!(names(above.candidates()), ["2", "0"]);
        let free =
            look(top(3), &[("0", LEASED, false), ("1", LEAVING, true), ("2", LEAVING, true), ("3", LEAVING, true)]);
        assert_eq!((free.ready_to_go(), free.delay("calm")), (3, None));
        let missing = look(top(2), &[("0", IDLE, true), ("1", LEAVING, true)]);
        assert_eq!(reason(missing.delay("calm")), Some("rolling_out"), "whatever comes there may be leased");
    }
}
