//! Exit codes, and how a failure is told.

use std::process::ExitCode;

use crate::client::ClientError;

/// Something failed that no other code says better.
pub const FAILURE: u8 = 1;
/// The server cannot be reached, or cannot serve now (`EX_UNAVAILABLE`).
pub const UNREACHABLE: u8 = 69;
/// Nothing is available, or the lease was lost: the same may succeed later (`EX_TEMPFAIL`).
pub const TRY_LATER: u8 = 75;
/// The API key is missing, unknown, or may not do this (`EX_NOPERM`).
pub const NOT_ALLOWED: u8 = 77;

/// What `--help` says about them.
pub const HELP: &str = "\
Exit codes:
  0   done
  1   failed
  2   the arguments are wrong
  69  the server cannot be reached, or cannot serve now
  75  nothing is available, or the lease was lost: try again later
  77  the API key is missing, unknown, or may not do this
  `run` ends with the code of its command; with 128 + n when signal n ended it.

Client commands use the server at --url or LEASEHOLD_URL, and the API key in
LEASEHOLD_API_KEY (else LEGACY_USE_API_KEY) or in the file named by --key-file.";

/// Tells a failure on stderr; its exit code.
pub(super) fn tell(error: &anyhow::Error) -> ExitCode {
    eprintln!("leasehold: {error:#}");
    match error.chain().find_map(|cause| cause.downcast_ref::<ClientError>()) {
        Some(error) => {
            if let Some(hint) = hint(error) {
                eprintln!("{hint}");
            }
            code(error).into()
        }
        None => FAILURE.into(),
    }
}

fn code(error: &ClientError) -> u8 {
    match error {
        ClientError::Unreachable { .. } => UNREACHABLE,
        ClientError::Problem(problem) => match problem.status {
            401 | 403 => NOT_ALLOWED,
            410 | 429 => TRY_LATER,
            _ if error.is_shortage() => TRY_LATER,
            502..=504 => UNREACHABLE,
            _ => FAILURE,
        },
        _ => FAILURE,
    }
}

/// What to do about it, where that is known.
fn hint(error: &ClientError) -> Option<&'static str> {
    match error {
        ClientError::Unreachable { .. } => Some(
            "Is `leasehold serve` (or `leasehold up`) running there? --url or LEASEHOLD_URL names another address.",
        ),
        ClientError::Problem(problem) if problem.code == "no_available_containers" => {
            Some("`leasehold explain TYPE` says what keeps the containers away, and what would help.")
        }
        ClientError::Problem(problem) if problem.status == 401 => {
            Some("The API key is taken from LEASEHOLD_API_KEY, or from the file that --key-file names.")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Problem;

    #[test]
    fn each_kind_of_failure_has_its_code() {
        let problem = |status, code: &str| {
            ClientError::Problem(Problem { status, code: code.into(), detail: String::new(), retry_after: None })
        };
        assert_eq!(code(&ClientError::Unreachable { url: String::new(), reason: String::new() }), UNREACHABLE);
        assert_eq!(code(&problem(401, "unauthorized")), NOT_ALLOWED);
        assert_eq!(code(&problem(403, "forbidden")), NOT_ALLOWED);
        assert_eq!(code(&problem(503, "no_available_containers")), TRY_LATER);
        assert_eq!(code(&problem(410, "session_ended")), TRY_LATER);
        assert_eq!(code(&problem(429, "quota_exceeded")), TRY_LATER);
        assert_eq!(code(&problem(503, "redis_unavailable")), UNREACHABLE);
        assert_eq!(code(&problem(404, "unknown_target_type")), FAILURE);
        assert_eq!(code(&ClientError::BadKey), FAILURE);
    }
}
