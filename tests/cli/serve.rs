//! What `serve` refuses before it serves, and what it shows of its configuration.

use super::{leasehold, said};
use crate::common::redis::Redis;

#[tokio::test]
async fn the_configuration_is_shown_without_its_secrets() {
    let mut command = leasehold(&["serve", "--print-config"]);
    command.env("LEASEHOLD_REDIS__URL", "redis://pool:word-of-redis@redis.example:6380");
    command.env("LEASEHOLD_API_KEY", "word-of-admin");
    let said = said(command).await.expect(0);
    assert!(said.stdout.contains("redis.example:6380"), "{said:#?}");
    for secret in ["word-of-redis", "word-of-admin"] {
        assert!(!said.stdout.contains(secret) && !said.stderr.contains(secret), "{said:#?}");
    }
}

#[tokio::test]
async fn a_bad_value_is_named_by_its_setting() {
    let mut command = leasehold(&["serve"]);
    command.env("LEASEHOLD_LIMITS__TTL_DEFAULT", "3s");
    said(command).await.expect(1).complains_of(&["limits.ttl_default", "3s"]);
}

#[tokio::test]
async fn a_misspelt_setting_of_the_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("leasehold.toml");
    std::fs::write(&file, "[limits]\nttl_defualt = \"60s\"\n").unwrap();
    let command = leasehold(&["serve", "--config", file.to_str().unwrap()]);
    said(command).await.expect(1).complains_of(&["ttl_defualt", "ttl_default"]);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    said(leasehold(&["serve", "--config", "/nonexistent.toml"])).await.expect(1).complains_of(&["/nonexistent.toml"]);
}

#[tokio::test]
async fn an_unknown_role_is_told_the_right_ones() {
    let said = said(leasehold(&["serve", "--roles", "api,probe"])).await.expect(2);
    said.complains_of(&["\"probe\"", "api,discovery,health,reaper,recycle,events,scale"]);
}

#[tokio::test]
async fn listening_for_everybody_needs_a_key() {
    let redis = Redis::start();
    let mut command = leasehold(&["serve"]);
    command.env("LEASEHOLD_LISTEN", "0.0.0.0:0").env("LEASEHOLD_REDIS__URL", redis.url());
    said(command).await.expect(1).complains_of(&["0.0.0.0:0", "LEASEHOLD_API_KEY", "127.0.0.1"]);
}

#[tokio::test]
async fn the_addresses_that_kubernetes_gives_are_no_settings() {
    let mut command = leasehold(&["serve", "--print-config"]);
    for (name, value) in [
        ("LEASEHOLD_SERVICE_HOST", "10.96.7.1"),
        ("LEASEHOLD_SERVICE_PORT", "8088"),
        ("LEASEHOLD_SERVICE_PORT_HTTP", "8088"),
        ("LEASEHOLD_PORT", "tcp://10.96.7.1:8088"),
        ("LEASEHOLD_PORT_8088_TCP", "tcp://10.96.7.1:8088"),
        ("LEASEHOLD_PORT_8088_TCP_PROTO", "tcp"),
        ("LEASEHOLD_PORT_8088_TCP_PORT", "8088"),
        ("LEASEHOLD_PORT_8088_TCP_ADDR", "10.96.7.1"),
        ("LEASEHOLD_REDIS_SERVICE_HOST", "10.96.7.2"),
        ("LEASEHOLD_REDIS_PORT", "tcp://10.96.7.2:6379"),
    ] {
        command.env(name, value);
    }
    said(command).await.expect(0);

    let mut mistaken = leasehold(&["serve", "--print-config"]);
    mistaken.env("LEASEHOLD_PORT", "8088");
    said(mistaken).await.expect(1).complains_of(&["port", "listen"]);
}
