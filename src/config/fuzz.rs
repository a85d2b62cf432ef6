//! Configuration files of any kind, for the fuzzer and for random tests.

use super::{Config, redacted};

/// A file's text is a configuration that can be printed and read again, or is refused with a reason.
///
/// # Panics
/// It is not so.
pub fn text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Config::parse(text) {
        Ok(config) => {
            let printed = toml::to_string(&config).expect("a configuration can be printed");
            let _: toml::Table = printed.parse().expect("what was printed is TOML");
        }
        Err(error) => assert!(error.to_string().len() > "configuration: ".len(), "no reason"),
    }
}

/// A password does not outlive its redaction, whatever stands around it.
///
/// # Panics
/// It does.
pub fn urls(data: &[u8]) {
    const PASSWORD: &str = "PASSWORD";
    let text = String::from_utf8_lossy(data);
    if text.contains(PASSWORD) {
        return;
    }
    let (before, after) = text.split_once('\n').unwrap_or((&text, ""));
    for url in [
        format!("redis://user:{PASSWORD}{before}@host{after}"),
        format!("redis://:{before}{PASSWORD}@host"),
        format!("redis+unix:///run/redis?{before}&pass={PASSWORD}&{after}"),
    ] {
        assert!(!redacted(&url).contains(PASSWORD), "{url} is shown as {}", redacted(&url));
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    proptest! {
        #[test]
        fn any_text_is_a_configuration_or_refused_with_a_reason(text in any::<String>()) {
            super::text(text.as_bytes());
        }

        #[test]
        fn what_looks_like_a_configuration_is_one_or_refused_with_a_reason(lines in vec(select(vec![
            "[redis]", "[limits]", "[types.wine]", "[types.wine.probe]", "[[provider]]", "[[api_key]]", "[tls]", "[cors]",
            "url = \"redis://:a@b\"", "ttl_default = \"1h\"", "ttl_max = \"30m\"", "ttl_min = \"1s\"", "kind = \"static\"",
            "kind = \"rfb\"", "name = \"a\"", "interval = \"99999999999999999999h\"", "interval = \"-1s\"", "rise = 0",
            "ports = { vnc = 65536 }", "ports = {}", "origins = [\"*\"]", "workers = -1", "listen = \"::\"",
        ]), 0..12)) {
            super::text(lines.join("\n").as_bytes());
        }

        #[test]
        fn no_password_outlives_its_redaction(text in any::<String>()) {
            super::urls(text.as_bytes());
        }
    }
}
