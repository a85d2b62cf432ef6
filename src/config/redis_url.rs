//! Where Redis is: `redis.url` read into its parts, or what is wrong with it.

use std::{fmt, path::PathBuf};

use percent_encoding::percent_decode_str;
use secrecy::SecretString;

/// What a URL may look like, for whoever wrote one that cannot be used.
const FORMS: &str = "one of redis://[user:password@]host[:port][/db], redis+unix:///path, \
    redis+sentinel://[user:password@]host[:port],…/service[/db] and redis+cluster://[user:password@]host[:port],…; \
    rediss in the place of redis for TLS";

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// A host and its port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// A name, or an address (of IPv6 without brackets).
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Who tells where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisPlace {
    /// A socket of this machine.
    Unix(PathBuf),
    /// This server.
    Server(HostPort),
    /// Whichever server these sentinels call the primary of `service`.
    Sentinel {
        /// Any of the sentinels; all are asked.
        sentinels: Vec<HostPort>,
        /// What the sentinels call it.
        service: String,
    },
    /// A cluster, of which these nodes are some.
    Cluster(Vec<HostPort>),
}

/// `redis.url` in its parts.
#[derive(Debug, Clone)]
pub struct RedisUrl {
    /// Who tells where the data is.
    pub place: RedisPlace,
    /// All connections are encrypted.
    pub tls: bool,
    /// The ACL user; Redis's default user when absent.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<SecretString>,
    /// The database.
    pub db: i64,
}

impl RedisUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right. Never shows the password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = url.split_once("://") else { return Err(FORMS.to_owned()) };
        let tls = scheme.starts_with("rediss");
        match scheme {
            "redis+unix" | "unix" => Self::unix(rest),
            "redis" | "rediss" => Self::server(tls, rest),
            "redis+sentinel" | "rediss+sentinel" => Self::sentinel(tls, rest),
            "redis+cluster" | "rediss+cluster" => Self::cluster(tls, rest),
            _ => Err(FORMS.to_owned()),
        }
    }

    fn unix(rest: &str) -> Result<Self, String> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !path.starts_with('/') {
            return Err("a socket needs an absolute path: redis+unix:///path".to_owned());
        }
        let place = RedisPlace::Unix(PathBuf::from(decoded("path", path)?));
        let mut found = Self { place, tls: false, user: None, password: None, db: 0 };
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "db" => found.db = database(value)?,
                "user" => found.user = Some(decoded("user", value)?),
                "pass" => found.password = Some(decoded("password", value)?.into()),
                _ => return Err(format!("{name:?} is no parameter; a socket takes db, user and pass")),
            }
        }
        Ok(found)
    }

    fn server(tls: bool, rest: &str) -> Result<Self, String> {
        let (user, password, rest) = credentials(rest)?;
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        if hosts.contains(',') {
            return Err("redis:// takes one host; several are for redis+sentinel:// and redis+cluster://".to_owned());
        }
        let place = RedisPlace::Server(host_port(hosts, REDIS_PORT)?);
        Ok(Self { place, tls, user, password, db: database(path)? })
    }

    fn sentinel(tls: bool, rest: &str) -> Result<Self, String> {
        let (user, password, rest) = credentials(rest)?;
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (service, db) = path.split_once('/').unwrap_or((path, ""));
        if service.is_empty() {
            return Err(
                "after the sentinels comes the service that they watch: redis+sentinel://host:port/service".into()
            );
        }
        let sentinels = host_ports(hosts, SENTINEL_PORT)?;
        let place = RedisPlace::Sentinel { sentinels, service: decoded("service", service)? };
        Ok(Self { place, tls, user, password, db: database(db)? })
    }

    fn cluster(tls: bool, rest: &str) -> Result<Self, String> {
        let (user, password, rest) = credentials(rest)?;
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        if database(path)? != 0 {
            return Err(format!("a cluster has no database {path:?}, only 0"));
        }
        let place = RedisPlace::Cluster(host_ports(hosts, REDIS_PORT)?);
        Ok(Self { place, tls, user, password, db: 0 })
    }
}

/// User and password, and what follows them.
fn credentials(rest: &str) -> Result<(Option<String>, Option<SecretString>, &str), String> {
    // A password may hold an `@` that nobody encoded.
    let Some((credentials, rest)) = rest.rsplit_once('@') else { return Ok((None, None, rest)) };
    let (user, password) = match credentials.split_once(':') {
        Some((user, password)) => (user, Some(decoded("password", password)?.into())),
        None => (credentials, None),
    };
    let user = decoded("user", user)?;
    if !user.is_empty() && password.is_none() {
        return Err(format!("the user {user:?} has no password: user:password@host"));
    }
    Ok(((!user.is_empty()).then_some(user), password, rest))
}

fn host_ports(hosts: &str, port: u16) -> Result<Vec<HostPort>, String> {
    hosts.split(',').map(|host| host_port(host, port)).collect()
}

fn host_port(text: &str, default: u16) -> Result<HostPort, String> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':').unwrap_or(rest))),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err(format!("{text:?} lacks a host"));
    }
    let port = match port {
        None => default,
        Some(port) => match port.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(format!("{port:?} is no port; 1 to 65535 (and IPv6 addresses stand in brackets)")),
        },
    };
    Ok(HostPort { host: host.to_owned(), port })
}

fn database(text: &str) -> Result<i64, String> {
    match text.trim_end_matches('/') {
        "" => Ok(0),
        number => match number.parse() {
            Ok(number) if number >= 0 => Ok(number),
            _ => Err(format!("{number:?} is no database; a number from 0 on")),
        },
    }
}

fn decoded(what: &str, text: &str) -> Result<String, String> {
    let text = percent_decode_str(text).decode_utf8();
    text.map(Into::into).map_err(|_| format!("the {what} is not UTF-8 when its percent signs are decoded"))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn at(host: &str, port: u16) -> HostPort {
        HostPort { host: host.to_owned(), port }
    }

    #[test]
    fn every_form_is_read() {
        let place = |url| RedisUrl::parse(url).unwrap().place;
        assert_eq!(place("redis://127.0.0.1"), RedisPlace::Server(at("127.0.0.1", 6379)));
        assert_eq!(place("rediss://[::1]:7000/2"), RedisPlace::Server(at("::1", 7000)));
        assert_eq!(place("redis+unix:///run/redis.sock"), RedisPlace::Unix("/run/redis.sock".into()));
        assert_eq!(place("redis+cluster://a,b:7001"), RedisPlace::Cluster(vec![at("a", 6379), at("b", 7001)]));
        let sentinel = RedisUrl::parse("rediss+sentinel://app:p%40ss:w@a,[::2]:7/main/3").unwrap();
        let sentinels = vec![at("a", 26379), at("::2", 7)];
        assert_eq!(sentinel.place, RedisPlace::Sentinel { sentinels, service: "main".to_owned() });
        assert_eq!((sentinel.tls, sentinel.db, sentinel.user.as_deref()), (true, 3, Some("app")));
        assert_eq!(sentinel.password.unwrap().expose_secret(), "p@ss:w");
        let unix = RedisUrl::parse("unix:///s?db=1&user=app&pass=x").unwrap();
        assert_eq!((unix.db, unix.user.as_deref()), (1, Some("app")));
        let nameless = RedisUrl::parse("redis://:x@h").unwrap();
        assert_eq!((nameless.user, nameless.password.is_some()), (None, true));
        assert_eq!(at("::1", 7).to_string(), "[::1]:7");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, says) in [
            ("http://u:secret@h", "redis+cluster://"),
            ("h:6379", "redis+cluster://"),
            ("redis://u:secret@h:x", "\"x\" is no port"),
            ("redis://u:secret@h:0", "\"0\" is no port"),
            ("redis://u:secret@:7", "lacks a host"),
            ("redis://u:secret@a,b", "takes one host"),
            ("redis://u:secret@h/x", "\"x\" is no database"),
            ("redis://app@h", "has no password"),
            ("redis://u:secret%ff@h", "not UTF-8"),
            ("redis+sentinel://u:secret@h:1", "the service"),
            ("redis+sentinel://h:1,/main", "lacks a host"),
            ("redis+cluster://u:secret@h/1", "no database \"1\""),
            ("redis+unix://run", "absolute path"),
            ("redis+unix:///s?password=secret", "is no parameter"),
        ] {
            let error = RedisUrl::parse(url).unwrap_err();
            assert!(error.contains(says) && !error.contains("secret"), "{url}: {error}");
            assert!(!crate::config::redacted(url).contains("secret"), "{url}");
        }
    }
}
