//! Makes containers clean between two sessions.
//!
//! Which container is to be made clean, the store knows: a session's end says so. A worker claims what is due for a limited
//! time, has the provider act, and reports. What a dead worker had claimed is due again after its deadline, so a reset is
//! repeated rather than lost; a report that comes too late is dropped. A container that was restarted is clean when discovery
//! has seen its new incarnation, and is given out after the next good probe.

mod age;
mod attempt;
mod claim;
mod recreate;
mod replaced;
mod webhook;

use std::{collections::BTreeMap, sync::Arc};

use tokio_util::sync::CancellationToken;

use self::webhook::Receivers;
use crate::{
    config::{Config, ConfigError, ProviderConfig, ResetKind},
    metrics::Metrics,
    model::ProviderName,
    provider::{Capabilities, Provider},
    store::Store,
};

/// The providers by their names.
type Providers = BTreeMap<ProviderName, Arc<dyn Provider>>;

/// Makes containers clean until `shutdown`; what goes on then is brought to its end.
pub async fn run(
    store: Store,
    providers: Vec<Arc<dyn Provider>>,
    config: Arc<Config>,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) {
    let providers: Arc<Providers> =
        Arc::new(providers.into_iter().map(|provider| (provider.name().clone(), provider)).collect());
    let receivers = match Receivers::new(&config) {
        Ok(receivers) => Arc::new(receivers),
        // It was good at start.
        Err(error) => return tracing::error!(%error, "no container is made clean"),
    };
    tokio::join!(
        claim::run(&store, &providers, &receivers, &config, &metrics, &shutdown),
        age::run(&store, &providers, &config, &shutdown),
    );
}

/// Refuses resets that a provider can never make, and warns where one could make some and does not.
///
/// # Errors
/// A type of a listed container is to be reset as no list can.
pub fn check(config: &Config, providers: &[Arc<dyn Provider>]) -> Result<(), ConfigError> {
    Receivers::new(config)?;
    for listed in &config.provider {
        let ProviderConfig::Static(fixed) = listed else { continue };
        for target_type in fixed.container.iter().map(|container| &container.target_type) {
            let kind = config.reset_of(target_type).effective_kind(ResetKind::None);
            if !matches!(kind, ResetKind::None | ResetKind::Webhook) {
                return Err(ConfigError::Wrong {
                    key: format!("types.{target_type}.reset.kind"),
                    given: format!("{kind:?}").to_lowercase(),
                    right: format!(
                        "auto, none or webhook: provider {:?} only lists containers, and cannot act on them",
                        fixed.name.as_str()
                    ),
                });
            }
        }
    }
    let any = |can: fn(Capabilities) -> bool| providers.iter().any(|provider| can(provider.capabilities()));
    if !any(Capabilities::renews)
        && let Some((key, given)) = recreates(config)
    {
        let right = "absent, or of another kind: no provider of the configuration makes containers anew".to_owned();
        return Err(ConfigError::Wrong { key, given, right });
    }
    if any(|one| one.act)
        && !any(|one| one.restart)
        && let Some(key) = restarts(config)
    {
        let right =
            "auto, recreate, exec, webhook or none: no provider of the configuration restarts containers".to_owned();
        return Err(ConfigError::Wrong { key, given: "restart".to_owned(), right });
    }
    if any(|one| one.act) {
        let types =
            config.types.iter().filter_map(|(name, own)| own.reset.as_ref().map(|reset| (name.as_str(), reset.kind)));
        for (section, _) in
            types.chain([("[reset]", Some(config.reset.kind))]).filter(|(_, kind)| *kind == Some(ResetKind::None))
        {
            tracing::warn!(section, "no reset between sessions: the next one meets what the last one left");
        }
    }
    Ok(())
}

/// The first setting that needs a provider which makes containers anew, and its value.
fn recreates(config: &Config) -> Option<(String, String)> {
    let whole = &config.reset;
    let of_all = ("reset".to_owned(), Some(whole.kind), whole.max_sessions, whole.max_age);
    let own = config.types.iter().filter_map(|(name, own)| {
        let reset = own.reset.as_ref()?;
        Some((format!("types.{name}.reset"), reset.kind, reset.max_sessions, reset.max_age))
    });
    own.chain([of_all]).find_map(|(section, kind, sessions, age)| {
        let kind = kind.filter(|kind| *kind == ResetKind::Recreate).map(|_| ("kind", "recreate".to_owned()));
        let sessions = sessions.map(|most| ("max_sessions", most.to_string()));
        let age = age.map(|age| ("max_age", format!("{age:?}")));
        kind.or(sessions).or(age).map(|(name, given)| (format!("{section}.{name}"), given))
    })
}

/// The first setting that needs a provider which restarts containers.
fn restarts(config: &Config) -> Option<String> {
    let own = config
        .types
        .iter()
        .map(|(name, own)| (format!("types.{name}.reset.kind"), own.reset.as_ref().and_then(|reset| reset.kind)));
    let mut all = own.chain([("reset.kind".to_owned(), Some(config.reset.kind))]);
    all.find(|(_, kind)| *kind == Some(ResetKind::Restart)).map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_provider_can_do_is_refused_at_start() {
        let check = |text: &str| {
            let config = Config::parse(text).unwrap();
            check(&config, &crate::provider::from_config(&config).unwrap())
        };
        let fixed = "[[provider]]\nname = \"farm\"\nkind = \"static\"\n";
        for (section, key) in [("[reset]", "reset.kind"), ("[types.wine.reset]", "types.wine.reset.kind")] {
            let error = check(&format!("{section}\nkind = \"recreate\"\n{fixed}")).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains("no provider"), "{error}");
        }
        for (setting, key) in [("max_sessions = 3", "reset.max_sessions"), ("max_age = \"1h\"", "reset.max_age")] {
            let error = check(&format!("[reset]\n{setting}\n{fixed}")).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains("no provider"), "{error}");
        }
        let cluster = "[[provider]]\nname = \"lab\"\nkind = \"kubernetes\"\n";
        let error = check(&format!("[types.wine.reset]\nkind = \"restart\"\n{cluster}")).unwrap_err().to_string();
        assert!(error.contains("types.wine.reset.kind = restart: auto, recreate"), "{error}");
        check(&format!("[reset]\nkind = \"recreate\"\nmax_sessions = 3\n{cluster}")).unwrap();
        check("[reset]\nkind = \"recreate\"\nmax_age = \"1h\"\n[[provider]]\nname = \"docker\"\nkind = \"docker\"\n")
            .unwrap();
    }
}
