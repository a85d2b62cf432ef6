//! Variables that look like settings and are none: Kubernetes gives every container the addresses of the services of its
//! namespace, and a Service named `leasehold` (or `leasehold-redis`) gets `LEASEHOLD_PORT=tcp://10.0.0.1:8088` and more.

use std::{ffi::OsString, net::IpAddr};

/// The keys, as figment would read them, of the variables that are such addresses.
pub(super) fn service_links(variables: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    variables
        .filter_map(|(name, value)| {
            let key = name.to_str()?.strip_prefix("LEASEHOLD_")?.to_ascii_lowercase();
            is_service_link(&key, value.to_str()?).then_some(key)
        })
        .collect()
}

/// By name and value, so that a setting with a wrong value is still told to whoever set it.
fn is_service_link(key: &str, value: &str) -> bool {
    // Names of services have no underscores, and become at most single ones.
    if key.contains("__") {
        return false;
    }
    // What stands behind the service's own name: `leasehold-redis` has `REDIS_` before all of these.
    let is = |name: &str| key == name || key.ends_with(&format!("_{name}"));
    if is("service_host") {
        return is_address(value);
    }
    if is("service_port") || key.starts_with("service_port_") || key.contains("_service_port_") {
        return is_port(value);
    }
    if is("port") && is_url(value) {
        return true;
    }
    let Some((port, rest)) = key.rsplit_once("port_").and_then(|(_, rest)| rest.split_once('_')) else { return false };
    if !is_port(port) {
        return false;
    }
    match rest.split_once('_') {
        None => is_protocol(rest) && is_url(value),
        Some((protocol, "proto")) => is_protocol(protocol) && value == protocol,
        Some((protocol, "port")) => is_protocol(protocol) && value == port,
        Some((protocol, "addr")) => is_protocol(protocol) && is_address(value),
        Some(_) => false,
    }
}

fn is_url(value: &str) -> bool {
    let parts = value.split_once("://").and_then(|(protocol, rest)| Some((protocol, rest.rsplit_once(':')?)));
    parts.is_some_and(|(protocol, (host, port))| is_protocol(protocol) && is_address(host) && is_port(port))
}

fn is_protocol(text: &str) -> bool {
    matches!(text, "tcp" | "udp" | "sctp")
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

fn is_address(text: &str) -> bool {
    text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_services_are_known_by_name_and_value() {
        for (name, value) in [
            ("LEASEHOLD_SERVICE_HOST", "10.96.7.1"),
            ("LEASEHOLD_SERVICE_PORT", "8088"),
            ("LEASEHOLD_SERVICE_PORT_HTTP", "8088"),
            ("LEASEHOLD_PORT", "tcp://10.96.7.1:8088"),
            ("LEASEHOLD_PORT_8088_TCP", "tcp://10.96.7.1:8088"),
            ("LEASEHOLD_PORT_8088_TCP_PROTO", "tcp"),
            ("LEASEHOLD_PORT_8088_TCP_PORT", "8088"),
            ("LEASEHOLD_PORT_8088_TCP_ADDR", "10.96.7.1"),
            ("LEASEHOLD_PORT", "tcp://[fd00::1]:8088"),
            ("LEASEHOLD_REDIS_SERVICE_HOST", "fd00::1"),
            ("LEASEHOLD_REDIS_PORT_6379_TCP_ADDR", "10.96.7.2"),
        ] {
            let key = name.strip_prefix("LEASEHOLD_").unwrap().to_ascii_lowercase();
            assert_eq!(service_links([(name.into(), value.into())].into_iter()), [key], "{name}={value}");
        }
    }

    #[test]
    fn a_mistaken_setting_is_none_of_them() {
        for (name, value) in [
            ("LEASEHOLD_PORT", "8088"),
            ("LEASEHOLD_PORT", "http://10.96.7.1:8088"),
            ("LEASEHOLD_SERVICE_HOST", "leasehold.example"),
            ("LEASEHOLD_PORT_8088_TCP_PROTO", "udp"),
            ("LEASEHOLD_PORT_8088_TCP_NAME", "x"),
            ("LEASEHOLD_LISTEN", "10.96.7.1:8088"),
            ("LEASEHOLD_REDIS__SERVICE_HOST", "10.96.7.1"),
            ("OTHER_PORT", "tcp://10.96.7.1:8088"),
        ] {
            assert!(service_links([(name.into(), value.into())].into_iter()).is_empty(), "{name}={value}");
        }
    }
}
