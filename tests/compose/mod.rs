//! `docker-compose.yml` brought up for real: its images, its load balancer, its networks.
//!
//! Each test has a project of its own, with host ports that the engine picks. A Linux desktop stands for all types; with
//! `COMPOSE_TEST_WINE=1` (`make test-compose`) Wine itself is behind `wine-target`.

mod guide;
mod losses;
mod project;

use serde_json::{Value, json};

use self::project::Project;
use crate::common::http::Answer;

/// A body that asks for a container of this type.
fn of_type(target_type: &str) -> Value {
    json!({"target_type": target_type})
}

/// Takes every container of this type; the answers.
async fn take_all(project: &Project, target_type: &str, count: usize) -> Vec<Answer> {
    let mut taken = Vec::new();
    for _ in 0..count {
        taken.push(project.http().post("/sessions", of_type(target_type)).await.expect(201));
    }
    taken
}
