//! Makes a site from texts: configuration, rules and scripts, checked against each other and compiled.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::core::config::Config;
use crate::core::diag::{Code, Diagnostic, Source, has_errors};
use crate::core::journal::{ConfigSnapshot, FileText};
use crate::core::lang::{Declarations, Matcher, compile, fields_set};
use crate::core::notifications::{misspelled_names, presets::malformed_bodies, unknown_names};
use crate::core::script::{self, Evaluator, Param};

use super::{Site, samples};

/// All texts of a site.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    pub config: Option<Arc<Source>>,
    pub rules: Vec<Arc<Source>>,
    /// The scripts by file name; `None` if their folder is unknown.
    pub scripts: Option<BTreeMap<String, Arc<Source>>>,
}

impl Texts {
    /// The texts that were accepted earlier.
    pub fn of(accepted: &ConfigSnapshot) -> Texts {
        let source = |text: &FileText| Arc::new(Source { name: text.name.clone(), text: text.text.clone() });
        Texts {
            config: Some(source(&accepted.config)),
            rules: accepted.rules.iter().map(source).collect(),
            scripts: Some(accepted.scripts.iter().map(|(name, text)| (name.clone(), source(text))).collect()),
        }
    }

    /// The texts as the journal keeps them; `None` if there is no configuration.
    pub fn snapshot(&self) -> Option<ConfigSnapshot> {
        let text = |source: &Arc<Source>| FileText { name: source.name.clone(), text: source.text.clone() };
        let scripts: BTreeMap<String, FileText> =
            self.scripts.iter().flatten().map(|(name, source)| (name.clone(), text(source))).collect();
        Some(ConfigSnapshot { config: text(self.config.as_ref()?), rules: self.rules.iter().map(text).collect(), scripts })
    }
}

/// What is refused in files only. A site that an earlier version accepted still starts.
pub fn mistakes_of_files(config: &Config) -> Vec<Diagnostic> {
    malformed_bodies(&config.inventory).into_iter().map(|text| Diagnostic::whole(Code::BadValue, text)).collect()
}

/// Checks and compiles texts; `config` is their configuration. `None`, with the reasons in `found`, if something is wrong.
pub fn assemble(texts: &Texts, config: Option<&Config>, found: &mut Vec<Diagnostic>) -> Option<Arc<Site>> {
    let inventory = config.map(|config| &config.inventory);
    let mut params: Option<BTreeMap<String, Vec<Param>>> = None;
    let mut scripts = Vec::new();
    for (name, source) in texts.scripts.iter().flatten() {
        let (declared, more) = script::inspect(source, inventory);
        found.extend(more);
        params.get_or_insert_default().insert(name.clone(), declared.params.clone());
        scripts.push(declared);
    }
    let params = params.or(texts.scripts.is_some().then(BTreeMap::new));
    let (program, more) = compile(&texts.rules, &Declarations { inventory, scripts: params.as_ref() });
    found.extend(more);
    if let Some(inventory) = inventory {
        let unknown = unknown_names(inventory, &program);
        found.extend(unknown.into_iter().map(|text| Diagnostic::whole(Code::RouteName, text)));
    }
    // The declarations of a script that does not parse are unknown.
    if found.iter().any(|d| d.code == Code::ScriptSyntax) {
        found.retain(|d| !matches!(d.code, Code::UnknownParameter | Code::MissingParameter));
    }
    let fields = fields_set(&program);
    found.extend(scripts.iter().flat_map(|declared| declared.misspelled_fields(&fields)));
    let misspelled = inventory.map(|inventory| misspelled_names(inventory, &fields)).unwrap_or_default();
    found.extend(misspelled.into_iter().map(|text| Diagnostic::whole(Code::TemplateName, text)));
    let matcher = Matcher::new(&program, inventory);
    found.extend(samples::check(&program, &matcher));
    let inventory = Arc::new(inventory.cloned().unwrap_or_default());
    let evaluator = Evaluator::new(inventory.clone());
    let mut compiled = BTreeMap::new();
    for (name, source) in texts.scripts.iter().flatten() {
        match evaluator.compile(source) {
            Ok(script) => {
                compiled.insert(name.clone(), script);
            }
            // `script::check` has reported why.
            Err(diagnostic) if !has_errors(found) => found.push(diagnostic),
            Err(_) => {}
        }
    }
    (!has_errors(found)).then(|| Arc::new(Site::new(inventory, Arc::new(program), matcher, compiled, evaluator)))
}
