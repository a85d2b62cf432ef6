//! Makes containers clean between two sessions.
//!
//! Which container is to be made clean, the store knows: a session's end says so. A worker claims what is due for a limited
//! time, has the provider act, and reports. What a dead worker had claimed is due again after its deadline, so a reset is
//! repeated rather than lost; a report that comes too late is dropped. A container that was restarted is clean when discovery
//! has seen its new incarnation, and is given out after the next good probe.

mod attempt;
mod claim;
mod recreate;

use std::{collections::BTreeMap, sync::Arc};

use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, ConfigError, ProviderConfig, ResetKind},
    metrics::Metrics,
    model::ProviderName,
    provider::Provider,
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
    let providers = providers.into_iter().map(|provider| (provider.name().clone(), provider)).collect();
    claim::run(&store, &Arc::new(providers), &config, &metrics, &shutdown).await;
}

/// Refuses resets that a provider can never make, and warns where one could make some and does not.
///
/// # Errors
/// A type of a listed container is to be reset as no list can.
pub fn check(config: &Config, providers: &[Arc<dyn Provider>]) -> Result<(), ConfigError> {
    for listed in &config.provider {
        let ProviderConfig::Static(fixed) = listed else { continue };
        for target_type in fixed.container.iter().map(|container| &container.target_type) {
            let kind = config.reset_of(target_type).effective_kind(false);
            if kind != ResetKind::None {
                return Err(ConfigError::Wrong {
                    key: format!("types.{target_type}.reset.kind"),
                    given: format!("{kind:?}").to_lowercase(),
                    right: format!(
                        "auto or none: provider {:?} only lists containers, and cannot act on them",
                        fixed.name.as_str()
                    ),
                });
            }
        }
    }
    if !providers.iter().any(|provider| provider.capabilities().recreate) {
        let types = config.types.iter().filter_map(|(name, own)| {
            let kind = own.reset.as_ref()?.kind?;
            Some((format!("types.{name}.reset.kind"), kind))
        });
        let recreates = |kind| kind == ResetKind::Recreate;
        if let Some((key, _)) =
            types.chain([("reset.kind".to_owned(), config.reset.kind)]).find(|(_, kind)| recreates(*kind))
        {
            let right = "another kind: no provider of the configuration makes containers anew".to_owned();
            return Err(ConfigError::Wrong { key, given: "recreate".to_owned(), right });
        }
    }
    if providers.iter().any(|provider| provider.capabilities().act) {
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
        check("[reset]\nkind = \"recreate\"\n[[provider]]\nname = \"docker\"\nkind = \"docker\"\n").unwrap();
    }
}
