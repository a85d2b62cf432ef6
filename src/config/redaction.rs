//! What may be told of settings that hold secrets.

use figment::error::{Actual, Kind};

/// Sections whose values are never shown: whatever stands there may be a secret in the wrong place.
const SECRET_SECTIONS: [&str; 4] = ["redis", "lease_tokens", "api_key", "webhook"];

const SECRET_PARAMETERS: [&str; 2] = ["pass", "password"];

/// The URL without its password: not before the host, and not among the parameters.
#[must_use]
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "(no URL, so not shown)".to_owned() };
    // The last `@` ends the credentials, though one may also stand in a parameter.
    match rest.rsplit_once('@') {
        Some((credentials, place)) => format!("{scheme}://{}:***@{}", user(credentials), without_passwords(place)),
        None => format!("{scheme}://{}", without_passwords(rest)),
    }
}

/// What stands before the first colon, if it can be nothing but a user's name.
fn user(credentials: &str) -> &str {
    let user = credentials.split(':').next().unwrap_or_default();
    let plain =
        user.len() < credentials.len() && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if plain { user } else { "***" }
}

fn without_passwords(place: &str) -> String {
    let shown = place.split_inclusive(['?', '&']).map(|part| {
        let (text, end) = part.strip_suffix(['?', '&']).map_or((part, ""), |text| (text, &part[text.len()..]));
        match text.split_once('=') {
            Some((name, _)) if SECRET_PARAMETERS.contains(&name) => format!("{name}=***{end}"),
            _ => part.to_owned(),
        }
    });
    shown.collect()
}

/// What is wrong with a file or a variable, without the line that it quotes and without the values of secret sections.
pub(super) fn told(error: figment::Error) -> String {
    let told = error.into_iter().map(|mut error| {
        let secret_section = |section: &String| SECRET_SECTIONS.iter().any(|name| section.eq_ignore_ascii_case(name));
        // Also one within another, as `reset.webhook`.
        let secret = error.path.iter().any(secret_section);
        match &mut error.kind {
            Kind::Message(text) => *text = without_source(text),
            Kind::InvalidType(actual, _) | Kind::InvalidValue(actual, _) | Kind::Unsupported(actual) if secret => {
                *actual = Actual::Other("a value that is not shown".to_owned());
            }
            Kind::UnknownVariant(given, _) if secret => "(not shown)".clone_into(given),
            _ => {}
        }
        error.to_string()
    });
    told.collect::<Vec<_>>().join("\n")
}

/// An error of the TOML reader, in one line, without the line of the file that it quotes.
#[must_use]
pub fn without_source(error: &str) -> String {
    let quotes = |line: &str| {
        let line = line.trim_start();
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        rest.starts_with('|') || line.is_empty()
    };
    error.lines().filter(|line| !quotes(line)).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::{super::Config, redacted};

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, shown) in [
            ("redis://host:6379", "redis://host:6379"),
            ("redis://:secret@host", "redis://:***@host"),
            ("rediss://app:se@cret@host:6380/1", "rediss://app:***@host:6380/1"),
            ("redis+unix:///run/redis?db=1&pass=secret", "redis+unix:///run/redis?db=1&pass=***"),
            ("redis://app:secret?@host", "redis://app:***@host"),
            ("redis://secret@host", "redis://***:***@host"),
            ("redis+unix:///run/redis?pass=secret&x=@y", "redis+unix://***:***@y"),
            ("redis:secret@host", "(no URL, so not shown)"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }

    #[test]
    fn an_error_names_the_key_and_shows_no_value_of_a_secret_section() {
        for (text, parts) in [
            ("redis = \"redis://:secret@h\"", &["redis", "struct RedisConfig"][..]),
            ("[redis]\nurl = redis://:secret@h", &["line 2, column 7", "invalid string"]),
            ("[redis]\nurl = \"redis:secret@h\"", &["redis.url", "redis://[user"]),
            ("[lease_tokens]\nkeys = \"secret\"", &["lease_tokens.keys", "a sequence"]),
            ("[lease_tokens]\nkeys = [\"secret\"]", &["lease_tokens.keys", "at least 32 bytes"]),
            ("api_key = \"secret\"", &["api_key", "a sequence"]),
            ("[[api_key]]\nname = \"a\"\nowner = \"a\"\nrole = \"secret\"\nhash = \"secret\"", &["role", "`viewer`"]),
            ("[[api_key]]\nname = \"a\"\nowner = \"a\"\nrole = \"admin\"\nhash = \"secret\"", &["api_key", "sha256:"]),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
            for part in parts {
                assert!(error.contains(part), "no {part:?} in {error}");
            }
        }
    }

    #[test]
    fn an_error_elsewhere_shows_the_value() {
        let error = Config::parse("workers = \"many\"").unwrap_err().to_string();
        assert!(error.contains("workers") && error.contains("many"), "{error}");
    }
}
