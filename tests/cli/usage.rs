//! What it says without a server.

use sha2::{Digest as _, Sha256};

use super::{leasehold, said};

#[tokio::test]
async fn no_arguments_are_answered_with_help() {
    let said = said(leasehold(&[])).await.expect(2);
    said.complains_of(&["Usage: leasehold", "Exit codes:"]);
    assert_eq!(said.stdout, "");
}

#[tokio::test]
async fn an_unknown_subcommand_is_named() {
    said(leasehold(&["lend"])).await.expect(2).complains_of(&["unrecognized subcommand 'lend'"]);
}

#[tokio::test]
async fn help_names_the_exit_codes() {
    let help = said(leasehold(&["--help"])).await.expect(0).stdout;
    for line in ["69  the server cannot be reached", "75  nothing is available", "77  the API key"] {
        assert!(help.contains(line), "{help}");
    }
    let help = said(leasehold(&["run", "--help"])).await.expect(0).stdout;
    assert!(help.contains("LEASEHOLD_FENCING_TOKEN") && help.contains("127 when it is not there"), "{help}");
}

#[tokio::test]
async fn the_completion_script_is_one_that_bash_takes() {
    let script = said(leasehold(&["completions", "bash"])).await.expect(0).stdout;
    let mut bash = tokio::process::Command::new("bash");
    bash.args(["-c", &format!("{script}\ncomplete -p leasehold")]);
    let completion = said(bash).await.expect(0).stdout;
    assert!(completion.contains("_leasehold"), "{completion}");
}

#[tokio::test]
async fn the_description_is_that_of_the_api() {
    let golden = std::fs::read_to_string(format!("{}/tests/api/openapi.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let known: serde_json::Value = serde_json::from_str(&golden).unwrap();
    assert_eq!(said(leasehold(&["openapi"])).await.expect(0).json(), known);
}

#[tokio::test]
async fn a_new_key_stands_beside_its_hash() {
    let said = said(leasehold(&["key", "new", "--owner", "alice", "--role", "client"])).await.expect(0);
    let key = said.stdout.lines().find_map(|line| line.strip_prefix("# lh_")).expect("a key");
    let digits: Vec<_> = Sha256::digest(format!("lh_{key}")).iter().map(|byte| format!("{byte:02x}")).collect();
    let hash = digits.concat();
    for line in [format!("hash = \"sha256:{hash}\""), "owner = \"alice\"".into(), "role = \"client\"".into()] {
        assert!(said.stdout.lines().any(|known| known == line), "no {line} in {}", said.stdout);
    }
}

#[tokio::test]
async fn an_unknown_role_of_a_key_is_told_the_right_ones() {
    let said = said(leasehold(&["key", "new", "--role", "root"])).await.expect(2);
    said.complains_of(&["'root'", "right is admin, client or viewer"]);
}
