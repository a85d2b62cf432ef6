//! The event streams as they are read, page by page.

use serde_json::{Map, Value};

use super::{Store, StoreError, Way, reply::Row, scripts, sessions::bytes, view::time_text};
use crate::model::{Event, Position, TargetType};

/// Fields that are numbers, beside those that end in `_ms`.
const NUMBERS: [&str; 1] = ["token"];

/// Events after a place in a stream.
#[derive(Debug)]
pub struct EventPage {
    /// In order.
    pub events: Vec<(Position, Event)>,
    /// The last one ever written; the beginning where there are no data.
    pub end: Position,
    /// Whether `events` reach to the end.
    pub whole: bool,
    /// When it was read, by Redis's clock (RFC 3339).
    pub at: String,
}

impl Store {
    /// At most `most` events of a type after this place; with 0 only where the stream ends. On the worker's own connection.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn read_events(
        &self,
        target_type: &TargetType,
        after: Position,
        most: usize,
    ) -> Result<EventPage, StoreError> {
        let args = [after.epoch.to_string(), after.sequence.to_string(), most.to_string()];
        let key = self.shared.keys.epoch(target_type);
        let mut reply = self.run_at(Way::Hot, &scripts::READ_EVENTS, &key, &bytes(&args)).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let end = Position { epoch: reply.values.number()?, sequence: reply.values.number()? };
        let at = time_text(reply.values.number()?);
        let rows = reply.values.rows()?;
        let whole = rows.len() < most;
        let events = rows.into_iter().map(|row| read(target_type, row)).collect::<Result<_, _>>()?;
        Ok(EventPage { events, end, whole, at })
    }

    /// A whole page of `most` events after this place, for who has many to read: without a script, which costs Redis several times as
    /// much. None where there are fewer: where the stream ends, only [`Store::read_events`] can tell.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn read_many_events(
        &self,
        target_type: &TargetType,
        after: Position,
        most: usize,
    ) -> Result<Option<EventPage>, StoreError> {
        let mut command = redis::cmd("XRANGE");
        command.arg(self.shared.keys.events(target_type)).arg(format!("({after}")).arg("+").arg("COUNT").arg(most);
        let mut rows = Row::read("a command", redis::Value::Array(vec![self.command(&command).await?]))?.rows()?;
        if rows.len() < most {
            return Ok(None);
        }
        let events: Vec<(Position, Event)> =
            rows.drain(..).map(|row| read(target_type, row)).collect::<Result<_, _>>()?;
        let (end, at) = events.last().map(|(end, event)| (*end, event.at.clone())).unwrap_or_default();
        Ok(Some(EventPage { events, end, whole: false, at }))
    }
}

fn read(target_type: &TargetType, mut row: Row) -> Result<(Position, Event), StoreError> {
    let id = row.text()?;
    let position: Position = id.parse().map_err(|_| row.wrong_word("a stream's id", &id))?;
    let mut fields = row.texts()?.into_iter();
    let mut event = Event {
        id: format!("{target_type}:{position}"),
        target_type: target_type.clone(),
        kind: String::new(),
        at: String::new(),
        data: Map::new(),
    };
    while let (Some(name), Some(text)) = (fields.next(), fields.next()) {
        match name.as_str() {
            "kind" => event.kind = text,
            "at" => event.at = text.parse().map(time_text).unwrap_or_default(),
            // What is not there is written as nothing.
            _ if text.is_empty() => {}
            _ => drop(event.data.insert(name.clone(), value(&name, text))),
        }
    }
    Ok((position, event))
}

fn value(name: &str, text: String) -> Value {
    let number = NUMBERS.contains(&name) || name.ends_with("_ms");
    match text.parse::<u64>() {
        Ok(value) if number => value.into(),
        _ => text.into(),
    }
}
