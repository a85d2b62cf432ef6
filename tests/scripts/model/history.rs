//! The events, replayed: nothing may be missing, and they must tell the same as the records.

use std::collections::{BTreeMap, BTreeSet};

use super::look::{Event, Look};

/// What the events told so far.
#[derive(Default)]
pub struct History {
    /// The id of the last one.
    last: Option<(u64, u64)>,
    /// Where each container is, and under whom.
    containers: BTreeMap<String, (String, Option<String>)>,
    /// The highest token of each container that ever was.
    tokens: BTreeMap<String, u64>,
    /// Those that are given out no more, and those whose session is waited for.
    cordoned: BTreeSet<String>,
    draining: BTreeSet<String>,
    /// Those in quarantine.
    resting: BTreeSet<String>,
    /// How each session ended.
    ended: BTreeMap<String, String>,
    /// Who was warned of what.
    warned: BTreeSet<(String, String)>,
}

impl History {
    /// The id to read on from.
    pub fn last(&self) -> String {
        self.last.map_or_else(|| "0-0".to_owned(), |(epoch, sequence)| format!("{epoch}-{sequence}"))
    }

    /// Takes in the events of a look, and holds them against its records.
    pub fn follow(&mut self, look: &Look) {
        for event in &look.events {
            self.take(event);
        }
        let mut told = BTreeMap::new();
        for name in look.containers() {
            let facts = look.container(name).expect("it was listed");
            told.insert(name.to_owned(), (facts["set"].clone(), facts.get("lease").cloned()));
        }
        assert_eq!(self.containers, told, "what the events tell, and what is");
        let with =
            |fact| look.containers().into_iter().filter(move |name| look.container(name).unwrap().contains_key(fact));
        let cordoned: BTreeSet<_> = with("cordon").map(str::to_owned).collect();
        let draining: BTreeSet<_> = with("drain").map(str::to_owned).collect();
        let resting: BTreeSet<_> = with("quarantine").map(str::to_owned).collect();
        assert_eq!(
            (&self.cordoned, &self.draining, &self.resting),
            (&cordoned, &draining, &resting),
            "what the events tell of operators"
        );
    }

    fn take(&mut self, (id, flat): &Event) {
        let (epoch, sequence) = id.split_once('-').expect("<epoch>-<sequence>");
        let (epoch, sequence): (u64, u64) = (epoch.parse().unwrap(), sequence.parse().unwrap());
        let (last_epoch, last_sequence) = self.last.unwrap_or((epoch, 0));
        assert_eq!((epoch, sequence), (last_epoch, last_sequence + 1), "a gap before {id}");
        self.last = Some((epoch, sequence));

        let event: BTreeMap<&str, &str> = flat.chunks(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
        let of = |field: &str| event[field].to_owned();
        match event["kind"] {
            "container.added" => {
                let before = self.containers.insert(of("container"), (String::new(), None));
                assert_eq!(before, None, "added twice");
            }
            "container.changed" => assert!(self.containers.contains_key(event["container"])),
            "container.quarantined" => {
                assert_eq!((event["why"], event["by"]), ("operator", "ops/key"));
                self.resting.insert(of("container"));
            }
            "container.quarantine_over" | "container.quarantine_lifted" => {
                assert!(self.resting.remove(event["container"]), "it did not rest");
            }
            "container.removed" => {
                let before = self.containers.remove(event["container"]).expect("it was there");
                assert_eq!(before.1, None, "removed under a session that goes on");
                self.cordoned.remove(event["container"]);
                self.draining.remove(event["container"]);
                self.resting.remove(event["container"]);
            }
            "container.state" => {
                let container = self.containers.get_mut(event["container"]).expect("it was added");
                // The end of a session says by itself that its container is available, unless it goes on to say otherwise.
                let ended = container.0 == "available" && event["from"] == "allocated";
                assert!(ended || container.0 == event["from"], "from {} and not {}", container.0, event["from"]);
                container.0 = of("to");
            }
            "session.warning" => {
                assert!(!self.ended.contains_key(event["session"]), "warned after its end");
                assert!(self.warned.insert((of("session"), of("reason"))), "warned twice of the same end");
            }
            "session.queued" => assert!(!self.ended.contains_key(event["session"])),
            "session.offered" | "session.ready" => self.granted(&event),
            "session.ended" => {
                let before = self.ended.insert(of("session"), of("reason"));
                assert_eq!(before, None, "ended twice");
                if let Some(container) = self.containers.get_mut(event["container"]) {
                    assert_eq!(container.1.as_deref(), Some(event["session"]), "ended under another session");
                    *container = ("available".to_owned(), None);
                }
            }
            "container.cordoned" => assert!(self.cordoned.insert(of("container")), "cordoned twice"),
            "container.uncordoned" => {
                assert!(self.cordoned.remove(event["container"]), "it was not cordoned");
                self.draining.remove(event["container"]);
            }
            "container.draining" => {
                assert!(self.cordoned.contains(event["container"]), "drained without a cordon");
                assert_eq!(
                    self.containers[event["container"]].1.as_deref(),
                    Some(event["session"]),
                    "another waited for"
                );
                self.draining.insert(of("container"));
            }
            "container.drained" => {
                assert_eq!(self.containers[event["container"]].1, None, "drained under a session");
                self.draining.remove(event["container"]);
            }
            "container.drain_expired" => assert!(self.draining.remove(event["container"]), "it was not drained"),
            other => panic!("an event of kind {other:?}"),
        }
    }

    fn granted(&mut self, event: &BTreeMap<&str, &str>) {
        let (name, session, token) = (event["container"], event["session"], event["token"].parse::<u64>().unwrap());
        assert!(!self.ended.contains_key(session), "a session that ended became live again");
        let container = self.containers.get_mut(name).expect("it was added");
        let highest = self.tokens.entry(name.to_owned()).or_default();
        if event["kind"] == "session.ready" && container.1.as_deref() == Some(session) {
            assert_eq!(token, *highest, "claimed with another token than offered");
            return;
        }
        assert_eq!(*container, ("available".to_owned(), None), "{name} was given to a second holder");
        assert!(!self.cordoned.contains(name), "{name} was given out under a cordon");
        assert!(token > *highest, "the token of {name} went from {highest} to {token}");
        *highest = token;
        *container = ("allocated".to_owned(), Some(session.to_owned()));
    }
}
