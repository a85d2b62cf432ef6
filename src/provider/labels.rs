//! Which type a container's labels make it, and which of them are shown.

use std::collections::{BTreeMap, HashMap};

use crate::{
    config::DiscoveryConfig,
    model::{InvalidName, TargetType},
};

const COMPOSE_PROJECT: &str = "com.docker.compose.project";
const COMPOSE_SERVICE: &str = "com.docker.compose.service";
/// `True` on what `docker compose run` started: not one of the service's own containers.
const COMPOSE_ONE_OFF: &str = "com.docker.compose.oneoff";

/// Keys and values that are shown of one container's labels, in bytes. What a build tool put there can be any size.
pub(super) const SHOWN_BYTES: usize = 4096;

/// A label whose value is no target type.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("label {label}: {wrong}")]
pub(super) struct WrongLabel {
    label: String,
    wrong: InvalidName,
}

/// The type that a container with these labels is; none when it takes no part.
pub(super) fn target_type(
    labels: &HashMap<String, String>,
    rules: &DiscoveryConfig,
) -> Result<Option<TargetType>, WrongLabel> {
    let value = |label: &str| labels.get(label).map(String::as_str);
    if rules.compose_project.as_deref().is_some_and(|project| value(COMPOSE_PROJECT) != Some(project)) {
        return Ok(None);
    }
    let named =
        |label: &str, text: &str| text.parse().map(Some).map_err(|wrong| WrongLabel { label: label.to_owned(), wrong });
    if let Some(text) = value(&rules.label) {
        return named(&rules.label, text);
    }
    if value(&rules.guide_scalable_label) == Some("false") {
        return Ok(None);
    }
    if let Some(text) = value(&rules.guide_label) {
        return named(&rules.guide_label, text);
    }
    let one_off = value(COMPOSE_ONE_OFF).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let service = value(COMPOSE_SERVICE).filter(|_| rules.compose_services && !one_off);
    Ok(service.and_then(of_service))
}

/// The type of a Compose service's containers. A name that only looks like ours is nobody's mistake.
fn of_service(service: &str) -> Option<TargetType> {
    let text = if service == "linux-machine" { "linux" } else { service.strip_suffix("-target")? };
    text.parse().ok()
}

/// The labels to show: all of an ordinary container, those that say its type first. One that would be too much is left
/// out whole, since half a value would be a wrong one.
pub(super) fn shown(labels: HashMap<String, String>, rules: &DiscoveryConfig) -> BTreeMap<String, String> {
    let ours = [&rules.label, &rules.guide_label, &rules.guide_scalable_label];
    let mut labels: Vec<_> = labels.into_iter().collect();
    labels.sort_by(|(a, _), (b, _)| (!ours.contains(&a), a).cmp(&(!ours.contains(&b), b)));
    let mut left = SHOWN_BYTES;
    labels
        .into_iter()
        .filter(|(label, value)| match left.checked_sub(label.len() + value.len()) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(all: &[(&str, &str)]) -> HashMap<String, String> {
        all.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect()
    }

    fn found(all: &[(&str, &str)], rules: &DiscoveryConfig) -> Option<String> {
        target_type(&labels(all), rules).unwrap().map(String::from)
    }

    #[test]
    fn each_way_to_say_a_type_counts_ours_first() {
        let rules = DiscoveryConfig::default();
        let ours = ("leasehold.type", "wine");
        let guides = ("legacy-use.target-type", "android");
        let service = |name| (COMPOSE_SERVICE, name);
        let cases = [
            (vec![], None),
            (vec![ours], Some("wine")),
            (vec![guides], Some("android")),
            (vec![guides, ("legacy-use.scalable", "true")], Some("android")),
            (vec![guides, ours], Some("wine")),
            (vec![service("wine-target")], Some("wine")),
            (vec![service("linux-machine")], Some("linux")),
            (vec![service("database")], None),
            (vec![service("My_App-target")], None),
        ];
        for (labels, expected) in cases {
            assert_eq!(found(&labels, &rules).as_deref(), expected, "{labels:?}");
        }
    }

    #[test]
    fn what_is_not_scalable_or_one_off_takes_no_part() {
        let rules = DiscoveryConfig::default();
        let no = ("legacy-use.scalable", "false");
        assert_eq!(found(&[("legacy-use.target-type", "wine"), no], &rules), None);
        assert_eq!(found(&[(COMPOSE_SERVICE, "wine-target"), no], &rules), None);
        assert_eq!(found(&[("leasehold.type", "wine"), no], &rules).as_deref(), Some("wine"));
        assert_eq!(found(&[(COMPOSE_SERVICE, "wine-target"), (COMPOSE_ONE_OFF, "True")], &rules), None);
        assert_eq!(
            found(&[(COMPOSE_SERVICE, "wine-target"), (COMPOSE_ONE_OFF, "False")], &rules).as_deref(),
            Some("wine")
        );
    }

    #[test]
    fn the_settings_name_the_labels_and_narrow_the_choice() {
        let mut rules = DiscoveryConfig {
            label: "mine".to_owned(),
            compose_services: false,
            compose_project: Some("lab".to_owned()),
            ..DiscoveryConfig::default()
        };
        assert_eq!(found(&[("mine", "wine")], &rules), None);
        assert_eq!(found(&[("mine", "wine"), (COMPOSE_PROJECT, "other")], &rules), None);
        assert_eq!(found(&[("mine", "wine"), (COMPOSE_PROJECT, "lab")], &rules).as_deref(), Some("wine"));
        assert_eq!(found(&[(COMPOSE_SERVICE, "wine-target"), (COMPOSE_PROJECT, "lab")], &rules), None);
        rules.compose_project = None;
        assert_eq!(found(&[("leasehold.type", "wine")], &rules), None);
    }

    #[test]
    fn a_value_that_is_no_type_is_named_with_its_label() {
        let wrong = target_type(&labels(&[("leasehold.type", "Wine 11")]), &DiscoveryConfig::default()).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            r#"label leasehold.type: target type "Wine 11" must match [a-z0-9][a-z0-9-]{0,62}"#
        );
    }

    #[test]
    fn labels_are_shown_up_to_a_size_those_that_say_the_type_first() {
        let huge = "x".repeat(SHOWN_BYTES);
        let large = "x".repeat(SHOWN_BYTES / 2);
        let all = labels(&[("a", &huge), ("b", &large), ("c", &large), ("d", "small"), ("leasehold.type", "wine")]);
        let shown = shown(all, &DiscoveryConfig::default());
        assert_eq!(shown.keys().map(String::as_str).collect::<Vec<_>>(), ["b", "d", "leasehold.type"]);
    }
}
