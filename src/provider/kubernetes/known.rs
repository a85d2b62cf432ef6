//! Which pods and virtual machines there are and where, as lists and watches told.

use std::collections::{HashMap, HashSet};

use super::{
    keep::marked,
    object::{Kind, Lent},
};
use crate::model::{ContainerId, Keep, Observation};

/// What a full look found, with what was seen of it; none for what takes no part.
pub(super) type Found = HashMap<ContainerId, (Place, Option<Observation>)>;

/// Where a pod or a machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) kind: Kind,
    /// Which scope it was found in.
    pub(super) scope: usize,
    pub(super) namespace: String,
    pub(super) name: String,
    /// The newest version of it that anybody was told of; 0 when versions cannot be compared.
    pub(super) version: u64,
    /// What its marks said then.
    pub(super) marked: Option<Keep>,
}

impl Place {
    /// Id and place of an object; none for what no API server says.
    pub(super) fn of<K: Lent>(object: &K, scope: usize) -> Option<(ContainerId, Self)> {
        let metadata = object.meta();
        let id = metadata.uid.as_deref()?.parse().ok()?;
        let (namespace, name) = (metadata.namespace.clone()?, metadata.name.clone()?);
        Some((id, Self { kind: K::KIND, scope, namespace, name, version: version(object), marked: marked(object) }))
    }

    /// With what changes from version to version as the newer of both says it.
    fn or_newer(self, known: Option<&Self>) -> Self {
        match known {
            Some(known) if known.version > self.version => {
                Self { version: known.version, marked: known.marked, ..self }
            }
            _ => self,
        }
    }
}

/// Numbers since Kubernetes 1.0, and by its contract since 1.35.
fn version(object: &impl Lent) -> u64 {
    object.meta().resource_version.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// What the watch of a scope last said of a pod.
#[derive(Debug)]
pub(super) struct Seen {
    version: u64,
    /// None: it takes no part.
    pub(super) observation: Option<Observation>,
}

/// What the watch of one scope knows.
#[derive(Debug, Default)]
struct Watched {
    /// Whether it knows all that there is.
    whole: bool,
    pods: HashMap<ContainerId, Seen>,
    /// While it lists anew: what it has found.
    listing: HashSet<ContainerId>,
}

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct Known {
    places: HashMap<ContainerId, Place>,
    /// By scope; empty while nobody watches.
    watched: Vec<Watched>,
    /// Machines as they were last seen, for a time without the right to look at them. Pods have none: without it nothing is followed.
    machines: Found,
}

impl Known {
    /// A watch of so many scopes begins; with 0 it has ended.
    pub(super) fn begin(&mut self, scopes: usize) {
        self.watched.clear();
        self.watched.resize_with(scopes, Watched::default);
    }

    /// The watch of one scope has ended.
    pub(super) fn end(&mut self, scope: usize) {
        if let Some(watched) = self.watched.get_mut(scope) {
            *watched = Watched::default();
        }
    }

    /// The watch of a scope lists anew.
    pub(super) fn relist(&mut self, scope: usize) {
        if let Some(watched) = self.watched.get_mut(scope) {
            watched.listing.clear();
        }
    }

    /// The watch of a scope told of a pod as it is now.
    pub(super) fn saw(&mut self, id: &ContainerId, place: Place, observation: Option<Observation>) {
        let version = place.version;
        if place.kind == Kind::Machine {
            self.machines.insert(id.clone(), (place.clone(), observation.clone()));
        }
        if let Some(watched) = self.watched.get_mut(place.scope) {
            watched.listing.insert(id.clone());
            watched.pods.insert(id.clone(), Seen { version, observation });
        }
        self.keep(id, place);
    }

    /// The watch of a scope told that a pod is gone. Where it was stays known until the next list.
    pub(super) fn lost(&mut self, scope: usize, id: &ContainerId) {
        if let Some(watched) = self.watched.get_mut(scope) {
            watched.pods.remove(id);
        }
        self.machines.remove(id);
    }

    /// The watch of a scope has listed all that there is. Returns those that had been there, by list or watch, and are not.
    pub(super) fn listed(&mut self, scope: usize) -> Vec<ContainerId> {
        let Some(watched) = self.watched.get_mut(scope) else { return Vec::new() };
        let listing = std::mem::take(&mut watched.listing);
        let placed = self.places.iter().filter(|(_, place)| place.scope == scope).map(|(id, _)| id);
        let gone: HashSet<ContainerId> =
            watched.pods.keys().chain(placed).filter(|id| !listing.contains(*id)).cloned().collect();
        watched.pods.retain(|id, _| listing.contains(id));
        watched.whole = true;
        self.machines.retain(|id, _| !gone.contains(id));
        gone.into_iter().collect()
    }

    /// Whether the watch of a scope knows all that there is, and this pod is none of it. It may have gone, or just come.
    pub(super) fn doubts(&self, scope: usize, id: &ContainerId) -> bool {
        self.watched.get(scope).is_some_and(|watched| watched.whole && !watched.pods.contains_key(id))
    }

    /// What a watch last said of a pod, unless something newer was told of it since.
    pub(super) fn seen(&self, id: &ContainerId) -> Option<&Seen> {
        let told = self.places.get(id).map_or(0, |place| place.version);
        let newest = self.watched.iter().filter_map(|watched| watched.pods.get(id)).max_by_key(|seen| seen.version)?;
        (newest.version > 0 && newest.version >= told).then_some(newest)
    }

    pub(super) fn place(&self, id: &ContainerId) -> Option<Place> {
        self.places.get(id).cloned()
    }

    /// A pod was looked at.
    pub(super) fn keep(&mut self, id: &ContainerId, place: Place) {
        let place = place.or_newer(self.places.get(id));
        self.places.insert(id.clone(), place);
    }

    /// A full look found these, and no others.
    pub(super) fn replace(&mut self, found: &Found) {
        let newest = |id: &ContainerId, place: &Place| place.clone().or_newer(self.places.get(id));
        self.places = found.iter().map(|(id, (place, _))| (id.clone(), newest(id, place))).collect();
        let machines = found.iter().filter(|(_, (place, _))| place.kind == Kind::Machine);
        self.machines = machines.map(|(id, machine)| (id.clone(), machine.clone())).collect();
    }

    /// The machines of a scope as they were last seen.
    pub(super) fn remembered(&self, scope: usize) -> Found {
        let of_scope = self.machines.iter().filter(|(_, (place, _))| place.scope == scope);
        of_scope.map(|(id, machine)| (id.clone(), machine.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ContainerId {
        text.parse().unwrap()
    }

    fn place(version: u64) -> Place {
        Place { kind: Kind::Pod, scope: 0, namespace: "lab".to_owned(), name: "one".to_owned(), version, marked: None }
    }

    fn found(places: impl IntoIterator<Item = (ContainerId, Place)>) -> Found {
        places.into_iter().map(|(id, place)| (id, (place, None))).collect()
    }

    #[test]
    fn what_a_watch_said_counts_until_something_newer_is_told() {
        let mut known = Known::default();
        known.begin(2);
        known.saw(&id("one"), place(5), None);
        assert!(known.seen(&id("one")).is_some());
        known.replace(&found([(id("one"), place(7))]));
        assert!(known.seen(&id("one")).is_none(), "the list saw it later");
        known.saw(&id("one"), place(6), None);
        assert!(known.seen(&id("one")).is_none(), "the watch is still behind");
        known.saw(&id("one"), place(7), None);
        assert!(known.seen(&id("one")).is_some());
        known.begin(0);
        assert!(known.seen(&id("one")).is_none(), "nobody watches");
        assert_eq!(known.place(&id("one")).unwrap().version, 7);
    }

    #[test]
    fn marks_are_those_of_the_newest_version_whoever_told_of_it() {
        let mut known = Known::default();
        known.keep(&id("one"), Place { marked: Some(Keep::Leased), ..place(7) });
        known.replace(&found([(id("one"), place(5))]));
        known.keep(&id("one"), place(6));
        assert_eq!(known.place(&id("one")).unwrap().marked, Some(Keep::Leased));
        known.keep(&id("one"), place(8));
        assert_eq!(known.place(&id("one")).unwrap().marked, None);
    }

    #[test]
    fn versions_that_cannot_be_compared_are_never_enough() {
        let mut known = Known::default();
        known.begin(1);
        known.saw(&id("one"), place(0), None);
        assert!(known.seen(&id("one")).is_none());
    }

    #[test]
    fn a_new_list_of_a_watch_tells_what_went_while_it_did_not_look() {
        let mut known = Known::default();
        known.replace(&found([(id("old"), place(1)), (id("other"), Place { scope: 1, ..place(1) })]));
        known.begin(2);
        known.relist(0);
        known.saw(&id("one"), place(2), None);
        assert_eq!(known.listed(0), [id("old")]);
        assert!(known.doubts(0, &id("old")) && !known.doubts(0, &id("one")) && !known.doubts(1, &id("other")));
        known.replace(&found([(id("one"), place(2))]));
        known.relist(0);
        assert_eq!(known.listed(0), [id("one")]);
        assert!(known.seen(&id("one")).is_none());
    }

    #[test]
    fn machines_are_remembered_as_last_seen_until_something_says_that_they_are_gone() {
        let machine = |version| Place { kind: Kind::Machine, ..place(version) };
        let mut known = Known::default();
        known.begin(1);
        known.replace(&found([(id("one"), machine(1)), (id("two"), machine(1)), (id("pod"), place(1))]));
        let names = |known: &Known| {
            let mut names: Vec<_> = known.remembered(0).into_keys().map(|id| id.to_string()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&known), ["one", "two"]);
        known.lost(0, &id("two"));
        known.saw(&id("three"), machine(2), None);
        known.end(0);
        assert_eq!(names(&known), ["one", "three"]);
        known.relist(0);
        known.saw(&id("three"), machine(3), None);
        known.listed(0);
        assert_eq!((names(&known), known.remembered(1).len()), (vec!["three".to_owned()], 0));
    }
}
