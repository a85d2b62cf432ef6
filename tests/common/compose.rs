//! Compose, as the project's scripts find it.

use std::process::{Command, Output};

/// Compose, v2 or 1.29, in the project's own folder: a command of this project's name.
pub fn command(project: &str, args: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", r#"source scripts/lib.sh && compose "$@""#, "compose"]).args(args);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("COMPOSE_PROJECT_NAME", project);
    command
}

/// What a command printed; panics with its complaints when it failed.
pub fn succeeded(what: &str, output: &Output) -> String {
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {}\n{complaints}", output.status);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
