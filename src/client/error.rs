//! What can go wrong between a client and the API.

use std::{fmt, time::Duration};

use serde::Deserialize;

/// A call that did not bring what was asked for.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// No answer: nobody listens there, the connection broke, or it took too long.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// The address of the API.
        url: String,
        /// The last cause, in words.
        reason: String,
    },
    /// The API refused, and says why.
    #[error("{0}")]
    Problem(Problem),
    /// Something answered, in a form that is not the API's.
    #[error("{url} does not answer as Leasehold does: {reason}")]
    NotUnderstood {
        /// The address of the API.
        url: String,
        /// What was wrong with the answer.
        reason: String,
    },
    /// The address cannot be used.
    #[error("the URL {url:?} cannot be used: {reason}; right is for example http://127.0.0.1:8088")]
    BadUrl {
        /// As given.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The authorities that are to be trusted cannot be read.
    #[error("the certificates of the authorities cannot be used: {0}; PEM is right (-----BEGIN CERTIFICATE-----)")]
    BadAuthorities(String),
    /// The API key has characters that no HTTP header may have.
    #[error("the API key has characters that a key never has (a line break?)")]
    BadKey,
    /// The caller stopped waiting for a container.
    #[error("gave up waiting in line")]
    GivenUp,
}

impl ClientError {
    /// The problem, when the API answered with one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// Nothing was available for the session asked for; the same request may succeed later.
    #[must_use]
    pub fn is_shortage(&self) -> bool {
        self.problem().is_some_and(|problem| {
            matches!(
                problem.code.as_str(),
                "no_available_containers" | "container_unavailable" | "line_full" | "quota_exceeded"
            )
        })
    }

    /// The server could not be asked, or could not serve just now: what is safe to repeat may be repeated.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Problem(problem) => {
                problem.code == "rate_limited" || matches!(problem.status, 502..=504) && !self.is_shortage()
            }
            _ => false,
        }
    }
}

/// An `application/problem+json` answer (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable word for what happened, such as `no_available_containers`; `http_<status>` when the answer had none.
    pub code: String,
    /// What happened, for people.
    pub detail: String,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.detail, self.status, self.code)
    }
}

impl Problem {
    /// Reads an error's body; what is not a problem document still gives its status and the start of its text.
    pub(super) fn read(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Document {
            code: Option<String>,
            detail: Option<String>,
            title: Option<String>,
        }
        let document: Option<Document> = serde_json::from_slice(body).ok();
        let (code, detail) =
            document.map_or((None, None), |document| (document.code, document.detail.or(document.title)));
        let text = || {
            let text: String = String::from_utf8_lossy(body).trim().chars().take(200).collect();
            if text.is_empty() { "no explanation was given".to_owned() } else { text }
        };
        Self {
            status,
            code: code.unwrap_or_else(|| format!("http_{status}")),
            detail: detail.unwrap_or_else(text),
            retry_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_is_read() {
        let body = br#"{"type":"about:blank","title":"t","status":503,"code":"no_available_containers",
                        "detail":"No available wine containers"}"#;
        let problem = Problem::read(503, Some(Duration::from_secs(1)), body);
        assert_eq!(problem.to_string(), "No available wine containers (503 no_available_containers)");
        assert!(ClientError::Problem(problem.clone()).is_shortage());
        assert!(!ClientError::Problem(problem).is_passing());
    }

    #[test]
    fn another_answer_still_says_something() {
        let problem = Problem::read(502, None, b"<html>Bad Gateway</html>");
        assert_eq!(problem.to_string(), "<html>Bad Gateway</html> (502 http_502)");
        assert!(ClientError::Problem(problem).is_passing());
        assert_eq!(Problem::read(500, None, b"").detail, "no explanation was given");
    }
}
