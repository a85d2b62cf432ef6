//! A container of a Compose project that is made anew is the project's as before.

use std::{collections::BTreeSet, path::PathBuf};

use leasehold::config::ResetKind;

use super::{Recycled, available};
use crate::common::{compose, docker::Engine};

/// Two desks of one service, brought up for a test and taken down with it.
struct Desks {
    project: String,
    file: tempfile::NamedTempFile,
}

impl Desks {
    async fn up(engine: &Engine) -> Self {
        let text = format!(
            "version: \"3.8\"\nservices:\n  desk:\n    image: {:?}\n    command: [\"/bin/sleep\", \"600\"]\n    stop_signal: SIGKILL\n    \
             labels: {{ {:?}: {:?} }}\n    environment: {{ SCREEN: \"800x600\" }}\n    volumes: [\"home:/home\"]\n    \
             networks: {{ back: {{ aliases: [\"desk\"] }} }}\nnetworks: {{ back: {{}} }}\nvolumes: {{ home: {{}} }}\n",
            engine.image().await,
            engine.label(),
            engine.run(),
        );
        let file = tempfile::Builder::new().suffix(".yml").tempfile().expect("a temporary file");
        std::fs::write(file.path(), text).expect("it is written");
        let desks = Self { project: format!("leasehold-test-{}", engine.run()), file };
        desks.compose(&["up", "-d", "--scale", "desk=2"]);
        desks
    }

    fn path(&self) -> PathBuf {
        self.file.path().to_owned()
    }

    fn compose(&self, args: &[&str]) -> String {
        let path = self.path();
        let whole: Vec<_> = ["-f", path.to_str().unwrap()].into_iter().chain(args.iter().copied()).collect();
        let output = compose::command(&self.project, &whole).output().expect(compose::MUST_BE_INSTALLED);
        compose::succeeded(&format!("compose {}", args.join(" ")), &output)
    }

    fn ids(&self) -> BTreeSet<String> {
        self.compose(&["ps", "-q", "desk"]).lines().map(str::to_owned).collect()
    }
}

impl Drop for Desks {
    fn drop(&mut self) {
        let path = self.path();
        let args = ["-f", path.to_str().unwrap(), "down", "-v", "--timeout", "1"];
        match compose::command(&self.project, &args).output() {
            Ok(output) if output.status.success() => {}
            other => eprintln!("left over of {}: {other:?}", self.project),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_compose_started_and_a_reset_made_anew_compose_still_takes_for_its_own() {
    let recycled = Recycled::new(|config| config.reset.kind = ResetKind::Recreate, |target| target).await;
    recycled.bench.engine.remove(&recycled.id).await;
    recycled.bench.gone(&recycled.id).await;
    let desks = Desks::up(&recycled.bench.engine).await;
    let before = desks.ids();
    assert_eq!(before.len(), 2);
    for id in &before {
        recycled.bench.container_that("it is found", id, available).await;
    }

    let used = recycled.used().await.container.unwrap().id.to_string();
    let worker = recycled.worker();
    recycled.bench.gone(&used).await;
    worker.end().await;
    let after = desks.ids();
    let (new, kept): (Vec<_>, Vec<_>) = after.iter().partition(|id| !before.contains(*id));
    assert_eq!((new.len(), kept.len()), (1, 1), "{before:?} {after:?}");
    recycled.bench.container_that("it is given out", new[0], available).await;
    let names = async |id: &str| recycled.bench.engine.inspect(id).await.name;
    assert!(names(new[0]).await.unwrap().contains("desk"));
    // It finds nothing to do, neither to make nor to make anew.
    desks.compose(&["up", "-d", "--scale", "desk=2"]);
    assert_eq!(desks.ids(), after);
    // And takes down what is left.
    desks.compose(&["up", "-d", "--scale", "desk=1"]);
    assert_eq!(desks.ids().len(), 1);
}
