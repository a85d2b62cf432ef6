//! Dependencies point one way: the `use crate::` lines say so.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// What each layer may use, besides itself. What everybody may use stands in [`COMMON`].
const MAY_USE: &[(&str, &[&str])] = &[
    ("main", &["app", "cli", "telemetry"]),
    ("cli", &["advise", "api", "app", "client", "demo", "provider", "telemetry"]),
    ("app", &["api", "discovery", "events", "health", "pool", "provider", "recycle", "scale", "store", "telemetry"]),
    ("api", &["bridge", "events", "pool", "provider", "telemetry"]),
    ("advise", &["scale"]),
    ("bridge", &["rfb"]),
    ("client", &["retry_after"]),
    ("demo", &["rfb"]),
    ("discovery", &["provider", "store"]),
    ("events", &["store", "telemetry", "webhook"]),
    ("health", &["rfb", "store"]),
    ("pool", &["store"]),
    ("recycle", &["provider", "store", "webhook"]),
    ("scale", &["provider", "store"]),
    ("provider", &[]),
    ("store", &[]),
    ("retry_after", &[]),
    ("rfb", &[]),
    ("webhook", &["retry_after"]),
    ("telemetry", &[]),
    ("metrics", &[]),
    ("config", &[]),
    ("model", &[]),
];

const COMMON: &[&str] = &["config", "metrics", "model"];

/// Which crate only one layer may name.
const ALONE: &[(&str, &[&str])] = &[
    ("redis", &["store"]),
    ("deadpool_redis", &["store"]),
    ("actix_web", &["api"]),
    ("actix_http", &["api"]),
    ("actix_server", &["api"]),
    ("actix_ws", &["api"]),
    ("bollard", &["provider"]),
    ("croner", &["config"]),
    ("kube", &["provider"]),
    ("k8s_openapi", &["provider"]),
];

/// Which crate only one provider may name.
const OF_PROVIDERS: &[(&str, &str)] = &[("bollard", "docker"), ("kube", "kubernetes"), ("k8s_openapi", "kubernetes")];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The names that follow `crate::`, also within braces: `use crate::{config::Config, model::Role};`.
fn used(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        if text[..at].ends_with("pub(in ") || text[..at].ends_with('$') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let (mut depth, mut start) = (0, true);
            let mut word = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if depth == 0 && start && (c.is_alphanumeric() || c == '_') => word.push(c),
                    _ if !word.is_empty() => {
                        names.insert(std::mem::take(&mut word));
                        start = false;
                    }
                    _ => {}
                }
            }
            if !word.is_empty() {
                names.insert(word);
            }
        } else {
            names.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names
}

fn layers() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files
        .into_iter()
        .map(|path| {
            let inner = path.strip_prefix(&root).unwrap();
            let first = inner.components().next().unwrap().as_os_str().to_str().unwrap();
            let layer = first.strip_suffix(".rs").unwrap_or(first).to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            (layer, inner.to_owned(), text)
        })
        .collect()
}

#[test]
fn what_a_layer_uses_stands_below_it() {
    let may_use: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let mut seen = 0;
    for (layer, path, text) in layers() {
        if layer == "lib" {
            continue;
        }
        let allowed = may_use.get(layer.as_str()).unwrap_or_else(|| panic!("{layer} is in no place of the map"));
        for name in used(&text) {
            seen += 1;
            let fine = name == layer || allowed.contains(&name.as_str()) || COMMON.contains(&name.as_str());
            assert!(fine || !may_use.contains_key(name.as_str()), "{} uses crate::{name}", path.display());
        }
    }
    assert!(seen > 50, "only {seen} uses were found: the search is broken");
}

/// Whether this code names a crate.
fn names(text: &str, name: &str) -> bool {
    let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.any(|line| {
        line.match_indices(&format!("{name}::"))
            .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
    })
}

#[test]
fn one_layer_alone_names_each_foreign_system() {
    for (name, layers_allowed) in ALONE {
        let mut found = false;
        for (layer, path, text) in layers() {
            let names_it = names(&text, name);
            found |= names_it;
            assert!(!names_it || layers_allowed.contains(&layer.as_str()), "{} names {name}", path.display());
        }
        assert!(found, "nobody names {name}: the search is broken");
    }
}

#[test]
fn one_provider_alone_names_each_engine() {
    for (name, folder) in OF_PROVIDERS {
        for (layer, path, text) in layers() {
            let its_own = path.starts_with(Path::new("provider").join(folder));
            assert!(layer != "provider" || its_own || !names(&text, name), "{} names {name}", path.display());
        }
    }
}

#[test]
fn uses_are_found_in_both_spellings() {
    let text = "use crate::{\n    config::{A, B},\n    model::C,\n};\nuse crate::pool::Pool;\nlet x = crate::store::Y;";
    let names: Vec<_> = used(text).into_iter().collect();
    assert_eq!(names, ["config", "model", "pool", "store"]);
}
