//! Why a message was not taken.

use std::{error::Error, time::Duration};

use reqwest::{Response, StatusCode};

use crate::retry_after::retry_after;

/// Why a message was not taken, without the address.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// In words.
    pub reason: String,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// By an answer. Only with these two states a receiver says when it will be able to take more.
    pub(super) fn answered(answer: &Response) -> Self {
        let status = answer.status();
        let busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let retry_after = busy.then(|| retry_after(answer.headers())).flatten();
        Self { reason: format!("the answer was {}", status.as_u16()), retry_after }
    }

    /// Without one.
    pub(super) fn unanswered(error: reqwest::Error, timeout: Duration) -> Self {
        if error.is_timeout() {
            return format!("no answer within {timeout:?}").into();
        }
        last_cause(&error.without_url()).into()
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self { reason, retry_after: None }
    }
}

/// The innermost cause: what the outer ones say is that a request failed.
fn last_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
