//! What clients saw of who held what, and whether two ever held the same.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// One session as its client saw it.
#[derive(Debug, Clone)]
pub struct Hold {
    pub session: String,
    pub container: String,
    pub token: u64,
    /// The client may use the container from here: the answer was there.
    pub from: Instant,
    /// And does not from here on: it gave it back, or heard of no renewal (the time it *sent* the last one, plus what it was given).
    pub until: Instant,
    /// When Redis must have ended it at the latest, by the wall clock in ms, for one that was abandoned: the time that the
    /// last renewal was *answered*, plus what it was given.
    pub abandoned: Option<u64>,
}

/// # Errors
/// The first two that held the same container at the same time, or whose tokens do not grow.
pub fn check(holds: &[Hold]) -> Result<(), String> {
    let mut by_container: BTreeMap<&str, Vec<&Hold>> = BTreeMap::new();
    for hold in holds {
        by_container.entry(&hold.container).or_default().push(hold);
    }
    for holds in by_container.values_mut() {
        holds.sort_by_key(|hold| hold.token);
        for pair in holds.windows(2) {
            let [first, second] = pair else { continue };
            if first.token == second.token && first.session != second.session {
                return Err(format!("two sessions with one token: {first:?} and {second:?}"));
            }
            if second.from < first.until && first.session != second.session {
                return Err(format!("two holders for {:?}: {first:?} and {second:?}", first.until - second.from));
            }
        }
    }
    Ok(())
}

/// # Errors
/// The first grant in a type's event stream that came while another session held the container, or whose token did not grow.
/// `events`: kind, and fields by name, in order.
pub fn check_events(events: &[(String, BTreeMap<String, String>)]) -> Result<usize, String> {
    let mut holders: BTreeMap<String, (String, u64)> = BTreeMap::new();
    let mut grants = 0;
    for (kind, fields) in events {
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let (session, container) = (field("session"), field("container"));
        let token: u64 = field("token").parse().unwrap_or(0);
        match kind.as_str() {
            "session.ready" | "session.offered" => match holders.get(&container) {
                // An offer that is claimed is the same lease.
                Some((holder, last)) if *holder == session && *last == token => {}
                Some((holder, _)) if !holder.is_empty() => {
                    return Err(format!("{container} was given to {session} while {holder} held it"));
                }
                Some((_, last)) if *last >= token => {
                    return Err(format!("the token of {container} went from {last} to {token}"));
                }
                _ => {
                    holders.insert(container, (session, token));
                    grants += 1;
                }
            },
            "session.ended" => {
                if let Some((holder, _)) = holders.get_mut(&container)
                    && *holder == session
                {
                    holder.clear();
                }
            }
            _ => {}
        }
    }
    Ok(grants)
}

/// A hold of `container` under `token`, for so many ms, for tests of the checker.
#[cfg(test)]
fn hold(base: Instant, token: u64, from: u64, until: u64) -> Hold {
    let at = |ms| base + Duration::from_millis(ms);
    Hold {
        session: format!("session-{token}"),
        container: "one".to_owned(),
        token,
        from: at(from),
        until: at(until),
        abandoned: None,
    }
}

#[test]
fn the_checker_finds_planted_violations_and_nothing_else() {
    let base = Instant::now();
    let good = [hold(base, 3, 200, 300), hold(base, 1, 0, 100), hold(base, 2, 100, 200)];
    check(&good).unwrap();
    let overlap = check(&[hold(base, 1, 0, 101), hold(base, 2, 100, 200)]).unwrap_err();
    assert!(overlap.contains("two holders for 1ms"), "{overlap}");
    // The token is lower though it came later: by the order of tokens the first is still held.
    assert!(check(&[hold(base, 2, 0, 100), hold(base, 1, 200, 300)]).is_err());
    let mut twin = hold(base, 1, 500, 600);
    twin.session = "another".to_owned();
    assert!(check(&[hold(base, 1, 0, 100), twin]).is_err());

    let event = |kind: &str, session: &str, token: u64| {
        let fields = [("session", session.to_owned()), ("container", "one".to_owned()), ("token", token.to_string())];
        (kind.to_owned(), fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    let good = [
        event("session.offered", "a", 1),
        event("session.ready", "a", 1),
        event("session.ended", "a", 1),
        event("session.ready", "b", 2),
    ];
    assert_eq!(check_events(&good), Ok(2));
    assert!(check_events(&[event("session.ready", "a", 1), event("session.ready", "b", 2)]).is_err());
    let back = [event("session.ready", "a", 5), event("session.ended", "a", 5), event("session.ready", "b", 4)];
    assert!(check_events(&back).is_err());
}
