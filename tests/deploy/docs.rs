//! `docs/kubernetes.md`, and what `docs/operations.md` says of scaling by others, say what is.

use serde_json::Value;

use super::file;
use crate::monitoring::{between, metrics_in, promtool};

/// How the rule of the documents is to count: 4 leased, 1 being made clean, 3 idle, 5 in line, on two replicas that say the same.
const COUNTS: &str = r#"
rule_files: [rules.yml]
tests:
  - interval: 1m
    input_series:
      - { series: 'leasehold_containers{instance="a",target_type="wine",state="allocated"}', values: "4" }
      - { series: 'leasehold_containers{instance="b",target_type="wine",state="allocated"}', values: "4" }
      - { series: 'leasehold_containers{instance="a",target_type="wine",state="resetting"}', values: "1" }
      - { series: 'leasehold_containers{instance="a",target_type="wine",state="available"}', values: "3" }
      - { series: 'leasehold_containers{instance="b",target_type="wine",state="available"}', values: "3" }
      - { series: 'leasehold_queue_depth{instance="a",target_type="wine"}', values: "5" }
      - { series: 'leasehold_queue_depth{instance="b",target_type="wine"}', values: "5" }
    promql_expr_test:
      - expr: desktops:wanted
        eval_time: 0m
        exp_samples: [{ labels: 'desktops:wanted{target_type="wine"}', value: 12 }]
"#;

#[test]
fn each_value_of_the_chart_is_documented() {
    let values: Value = serde_saphyr::from_str(&file("deploy/helm/leasehold/values.yaml")).expect("YAML");
    let page = file("docs/kubernetes.md");
    for name in values.as_object().expect("values").keys() {
        assert!(page.contains(&format!("`{name}`")) || page.contains(&format!("`{name}.")), "{name} is not documented");
    }
}

#[test]
fn the_rule_to_scale_by_uses_metrics_that_exist_and_counts_what_is_wanted() {
    let page = file("docs/operations.md");
    let rules =
        between(&page, "```yaml\n", '`').into_iter().find(|block| block.starts_with("groups:")).expect("a rule");
    let (used, told) = (metrics_in(rules), page.split("\n## Metrics\n").nth(1).map(metrics_in).expect("a section"));
    assert!(!used.is_empty() && used.is_subset(&told), "{used:?}");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("rules.yml"), rules).expect("a file");
    std::fs::write(folder.path().join("tests.yml"), COUNTS).expect("a file");
    promtool(&["test", "rules"], &folder.path().join("tests.yml"));
}
