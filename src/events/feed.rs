//! What a consumer is told of a page: its events, and what is gone.

use std::sync::Arc;

use serde_json::json;

use crate::{
    model::{Event, Position, RESYNC, TargetType},
    store::EventPage,
};

/// An event, and the place that a consumer has come to with it.
#[derive(Debug, Clone)]
pub struct Told {
    /// After it.
    pub position: Position,
    /// What happened.
    pub event: Arc<Event>,
}

/// What follows `from` by this page. Where events are gone a `resync` stands in their place: because the stream was trimmed, or
/// because another epoch began, in which what was told before may be lost.
pub(super) fn digest(target_type: &TargetType, from: Position, page: EventPage) -> Vec<Told> {
    let mut told = Vec::with_capacity(page.events.len());
    let mut at = from;
    for (position, event) in page.events {
        if !at.is_followed_by(position) {
            // As if what stands before it had been read.
            let before = Position { sequence: position.sequence.saturating_sub(1), ..position };
            told.push(gap(target_type, at, before, &event.at));
        }
        at = position;
        told.push(Told { position, event: Arc::new(event) });
    }
    // Without an epoch there are no data: one will begin, and then it is told. One without an event is no news to a beginner.
    let news = page.end.sequence > 0 || at != Position::default();
    if page.whole && page.end != at && page.end.epoch != 0 && news {
        told.push(gap(target_type, at, page.end, &page.at));
    }
    told
}

fn gap(target_type: &TargetType, from: Position, to: Position, at: &str) -> Told {
    let reason = if from.epoch == to.epoch || from == Position::default() { "trimmed" } else { "epoch" };
    let data = json!({ "reason": reason, "from": from.to_string(), "to": to.to_string() });
    let event = Event {
        id: format!("{target_type}:{RESYNC}:{to}"),
        target_type: target_type.clone(),
        kind: RESYNC.to_owned(),
        at: at.to_owned(),
        data: data.as_object().cloned().unwrap_or_default(),
    };
    Told { position: to, event: Arc::new(event) }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn at(epoch: u64, sequence: u64) -> Position {
        Position { epoch, sequence }
    }

    /// What is told of these places, where the stream ends at `end`: the places, with an `!` where something is gone.
    fn told(from: Position, events: &[Position], end: Position, whole: bool) -> Vec<String> {
        let wine: TargetType = "wine".parse().unwrap();
        let event = |position: &Position| {
            let (id, kind) = (position.to_string(), "session.ready".to_owned());
            (*position, Event { id, target_type: wine.clone(), kind, at: String::new(), data: Map::new() })
        };
        let page = EventPage { events: events.iter().map(event).collect(), end, whole, at: String::new() };
        let mark = |told: &Told| match told.event.text("reason") {
            Some(reason) => format!("{reason}!{}", told.position),
            None => told.position.to_string(),
        };
        digest(&wine, from, page).iter().map(mark).collect()
    }

    #[test]
    fn case_26_what_is_gone_is_told_in_its_place() {
        // Nothing is.
        assert_eq!(told(at(7, 1), &[at(7, 2), at(7, 3)], at(7, 3), true), ["7-2", "7-3"]);
        assert_eq!(told(at(7, 3), &[], at(7, 3), true), [""; 0]);
        assert_eq!(told(at(0, 0), &[at(7, 1)], at(7, 1), true), ["7-1"]);
        assert_eq!(told(at(0, 0), &[], at(7, 0), true), [""; 0]);
        // The stream was trimmed: before what is kept, to its end, and before all that a beginner could read.
        assert_eq!(told(at(7, 1), &[at(7, 5), at(7, 6)], at(7, 6), true), ["trimmed!7-4", "7-5", "7-6"]);
        assert_eq!(told(at(7, 1), &[], at(7, 6), true), ["trimmed!7-6"]);
        assert_eq!(told(at(0, 0), &[at(7, 5)], at(7, 5), true), ["trimmed!7-4", "7-5"]);
        // Another epoch.
        assert_eq!(told(at(7, 1), &[at(8, 1)], at(8, 1), true), ["epoch!8-0", "8-1"]);
        assert_eq!(told(at(7, 1), &[at(7, 2), at(8, 3)], at(8, 3), true), ["7-2", "epoch!8-2", "8-3"]);
        assert_eq!(told(at(7, 1), &[], at(8, 0), true), ["epoch!8-0"]);
        // A place that never was.
        assert_eq!(told(at(9, 9), &[], at(8, 4), true), ["epoch!8-4"]);
        assert_eq!(told(at(7, 9), &[], at(7, 4), true), ["trimmed!7-4"]);
        // More is to come, or there are no data: nothing is known to be gone yet.
        assert_eq!(told(at(7, 1), &[at(7, 2)], at(7, 9), false), ["7-2"]);
        assert_eq!(told(at(7, 1), &[], at(0, 0), true), [""; 0]);
    }
}
