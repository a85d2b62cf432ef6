//! Compose, as the project's scripts find it.

use std::process::{Command, Output};

/// How often a port may be found taken.
pub const ATTEMPTS: usize = 5;

/// Without Compose there is nothing to test.
pub const MUST_BE_INSTALLED: &str = "Compose must be installed: `make setup` does it";

/// Compose, v2 or 1.29, in the project's own folder: a command of this project's name.
pub fn command(project: &str, args: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", r#"source scripts/lib.sh && compose "$@""#, "compose"]).args(args);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("COMPOSE_PROJECT_NAME", project);
    command
}

/// Brings a project up by this command. Docker publishes ports in the range from which the kernel lends them to everybody, and fails on
/// one that is taken; the next attempt gets another.
pub fn up(what: &str, mut command: impl FnMut() -> Command) -> String {
    for _ in 0..ATTEMPTS {
        let output = command().output().expect(MUST_BE_INSTALLED);
        if output.status.success() || !is_taken(&String::from_utf8_lossy(&output.stderr)) {
            return succeeded(what, &output);
        }
    }
    panic!("{what}: a port was taken each of {ATTEMPTS} times");
}

/// Whether the engine's complaint is that a port which it chose by itself was taken.
pub fn is_taken(complaint: &str) -> bool {
    complaint.contains("address already in use") || complaint.contains("port is already allocated")
}

/// What a command printed; panics with its complaints when it failed.
pub fn succeeded(what: &str, output: &Output) -> String {
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {}\n{complaints}", output.status);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
