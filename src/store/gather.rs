//! Group commit: calls of one script for one type that come while another is under way go together in the next one, so
//! that its fixed cost is paid once. A call that finds none under way goes at once.

use std::sync::Mutex;

use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::{
    Store, StoreError, Way,
    reply::{Reply, Row},
    scripts::{self, Script},
    span_of,
};
use crate::model::TargetType;

/// Most calls in one script: it must not hold up Redis for long.
const TOGETHER: usize = 32;

/// The calls of one worker that wait for the next script: a line for each script that is under way for a type.
#[derive(Default)]
pub(super) struct Gather {
    lines: Mutex<Vec<Line>>,
}

/// Calls of one script for one type.
struct Line {
    script: &'static Script,
    target_type: TargetType,
    waiting: Vec<Call>,
}

/// One call: the arguments, and who waits for the answer.
struct Call {
    args: Vec<String>,
    answer: oneshot::Sender<Result<Reply, StoreError>>,
}

impl Store {
    /// Runs a script that takes any number of items, for one item.
    pub(super) async fn run_gathered(
        &self,
        script: &'static Script,
        target_type: &TargetType,
        args: Vec<String>,
    ) -> Result<Reply, StoreError> {
        let (answer, answered) = oneshot::channel();
        if self.gather.join(script, target_type, Call { args, answer }) {
            // A task of its own: who asked may hang up, and the others must be served all the same.
            tokio::spawn(serve(self.clone(), script, target_type.clone()));
        }
        answered
            .instrument(span_of(script))
            .await
            .unwrap_or_else(|_| Err(StoreError::Unreachable("the worker ends".to_owned())))
    }
}

impl Gather {
    /// Whether the caller has to see to it that the line is served.
    fn join(&self, script: &'static Script, target_type: &TargetType, call: Call) -> bool {
        let mut lines = self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(at) = place_of(&lines, script, target_type) {
            lines[at].waiting.push(call);
            return false;
        }
        lines.push(Line { script, target_type: target_type.clone(), waiting: vec![call] });
        true
    }

    /// The next calls to go together; none when the line is at its end, and then it is gone.
    fn next(&self, script: &'static Script, target_type: &TargetType) -> Vec<Call> {
        let mut lines = self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(at) = place_of(&lines, script, target_type) else { return Vec::new() };
        let waiting = &mut lines[at].waiting;
        // Whoever hung up wants nothing any more.
        waiting.retain(|call| !call.answer.is_closed());
        let next: Vec<_> = waiting.drain(..waiting.len().min(TOGETHER)).collect();
        if next.is_empty() {
            lines.swap_remove(at);
        }
        next
    }
}

fn place_of(lines: &[Line], script: &'static Script, target_type: &TargetType) -> Option<usize> {
    lines.iter().position(|line| line.script.name == script.name && line.target_type == *target_type)
}

/// Serves a line until it is at its end.
async fn serve(store: Store, script: &'static Script, target_type: TargetType) {
    loop {
        let calls = store.gather.next(script, &target_type);
        if calls.is_empty() {
            return;
        }
        let args: Vec<&[u8]> = calls.iter().flat_map(|call| call.args.iter().map(String::as_bytes)).collect();
        match together(&store, script, &target_type, &args).await {
            Ok(rows) => {
                let mut rows = rows.into_iter();
                for call in calls {
                    let missing = || StoreError::Protocol { script: script.name, answer: "too few rows".to_owned() };
                    let _ = call.answer.send(rows.next().ok_or_else(missing).and_then(Row::into_reply));
                }
            }
            Err(error) => {
                for call in calls {
                    let _ = call.answer.send(Err(error.clone()));
                }
            }
        }
    }
}

async fn together(
    store: &Store,
    script: &'static Script,
    target_type: &TargetType,
    args: &[&[u8]],
) -> Result<Vec<Row>, StoreError> {
    let way = if script.name == scripts::ALLOCATE.name { store.granting() } else { Way::Hot };
    let mut reply = store.run(way, script, target_type, args).await?;
    if reply.code != "ok" {
        return Err(reply.unexpected());
    }
    reply.values.rows()
}
