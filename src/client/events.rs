//! What happens, followed across broken connections and replicas that end.

use std::{collections::VecDeque, time::Duration};

use reqwest::Response;
use serde::Serialize;
use tokio::time::{sleep, timeout};

use super::{Client, error::ClientError};
use crate::model::{ContainerId, Event, SessionId, TargetType};

/// A stream that is silent for so long is broken: the server gives signs of life.
const SILENCE: Duration = Duration::from_secs(30);
/// Before it comes back, when the server said nothing of it.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest line that is taken.
const LINE_MOST: usize = 1 << 20;

/// Which events to follow.
#[derive(Debug, Clone, Default, Serialize)]
pub struct EventFilter {
    /// Only of this type.
    pub target_type: Option<TargetType>,
    /// Only kinds that begin with this.
    pub kind: Option<String>,
    /// Only of this session.
    pub session: Option<SessionId>,
    /// Only of this container.
    pub container: Option<ContainerId>,
}

impl Client {
    /// Events that are kept, from the oldest on, and with `follow` all that come after them; or only those that come from now on.
    /// Connects when the first one is asked for.
    #[must_use]
    pub fn events(&self, filter: EventFilter, oldest: bool, follow: bool) -> EventStream {
        let lines = Lines { retry: PAUSE, ..Lines::default() };
        EventStream { client: self.clone(), filter, oldest, follow, response: None, lines, begun: false }
    }
}

/// Events in their order, of each type.
#[derive(Debug)]
pub struct EventStream {
    client: Client,
    filter: EventFilter,
    oldest: bool,
    follow: bool,
    response: Option<Response>,
    lines: Lines,
    begun: bool,
}

impl EventStream {
    /// The next event, waited for; none at the end of what is kept, when nothing is followed. A connection that breaks is made
    /// again, and goes on where it was.
    ///
    /// # Errors
    /// The server cannot be reached at first, or refuses.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            if let Some(event) = self.lines.events.pop_front() {
                return Ok(Some(event));
            }
            match self.read().await {
                Ok(true) => {}
                Ok(false) if !self.follow => return Ok(None),
                Err(error) if !self.begun || !error.is_passing() => return Err(error),
                Ok(false) | Err(_) => {
                    self.response = None;
                    self.lines.cut();
                    sleep(self.lines.retry).await;
                }
            }
        }
    }

    /// Reads what comes next. False when the stream has ended.
    async fn read(&mut self) -> Result<bool, ClientError> {
        let response = match &mut self.response {
            Some(response) => response,
            None => {
                self.response.insert(self.client.connect(&self.filter, self.oldest, self.follow, &self.lines).await?)
            }
        };
        self.begun = true;
        let Ok(chunk) = timeout(SILENCE, self.client.http.chunk(response)).await else { return Ok(false) };
        let Some(chunk) = chunk? else { return Ok(false) };
        self.lines.read(&chunk);
        Ok(true)
    }
}

impl Client {
    async fn connect(
        &self,
        filter: &EventFilter,
        oldest: bool,
        follow: bool,
        lines: &Lines,
    ) -> Result<Response, ClientError> {
        let from = if oldest { "start" } else { "now" };
        let mut request = self.http.get("/events").query(filter).query(&[("from", from)]).query(&[("follow", follow)]);
        if let Some(id) = &lines.last_id {
            request = request.header("Last-Event-ID", id);
        }
        // As long as it comes: silence has a bound of its own.
        let answered = timeout(SILENCE, self.http.send(request.timeout(Duration::MAX))).await;
        answered.unwrap_or_else(|_| {
            Err(ClientError::Unreachable { url: self.url().to_owned(), reason: "no answer in time".to_owned() })
        })
    }
}

/// Lines of server-sent events, cut as they come.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
    data: String,
    id: Option<String>,
    last_id: Option<String>,
    retry: Duration,
    events: VecDeque<Event>,
}

impl Lines {
    fn read(&mut self, chunk: &[u8]) {
        self.rest.extend_from_slice(chunk);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            self.line(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']));
        }
        if self.rest.len() > LINE_MOST {
            self.cut();
        }
    }

    fn line(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "" if line.is_empty() => self.end_block(),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data += value;
            }
            "id" => self.id = Some(value.to_owned()),
            "retry" => self.retry = value.parse().map_or(self.retry, Duration::from_millis),
            _ => {}
        }
    }

    fn end_block(&mut self) {
        if let Some(id) = self.id.take() {
            self.last_id = Some(id);
        }
        // Of a newer server there may be others.
        self.events.extend(serde_json::from_str::<Event>(&std::mem::take(&mut self.data)).ok());
    }

    /// The connection broke: what was half told is told again.
    fn cut(&mut self) {
        self.rest.clear();
        self.data.clear();
        self.id = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "retry: 700\n: still here\nid: a\n\nevent: session.ready\nid: b\ndata: {\"id\":\"wine:7-1\",\
        \"target_type\":\"wine\",\ndata: \"kind\":\"session.ready\",\"at\":\"\",\"data\":{}}\n\nid: c\n\ndata: {\"id\"";

    #[test]
    fn events_are_read_however_they_are_cut() {
        for size in 1..TEXT.len() {
            let mut lines = Lines::default();
            TEXT.as_bytes().chunks(size).for_each(|chunk| lines.read(chunk));
            assert_eq!(lines.retry, Duration::from_millis(700));
            assert_eq!(lines.last_id.as_deref(), Some("c"));
            let ids: Vec<_> = lines.events.iter().map(|event| event.id.as_str()).collect();
            assert_eq!(ids, ["wine:7-1"], "in pieces of {size}");
            lines.cut();
            lines.read(b"id: d\n\n");
            assert_eq!((lines.last_id.as_deref(), lines.events.len()), (Some("d"), 1));
        }
    }
}
