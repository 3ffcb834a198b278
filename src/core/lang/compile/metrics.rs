//! Conditions about metrics of hosts: the metric, the mount point, and the keys.

use crate::core::diag::Code;
use crate::core::inventory::{METRICS, OF_MOUNTS};
use crate::core::lang::ast::{self, Binding, Choice, ExpressionKind, File, LiteralKind, Text, TextSpan};
use crate::core::lang::program::{AtomId, Signal};

use super::Compiler;
use super::condition::CompiledDetect;

impl Compiler<'_, '_> {
    /// The atom of a metric; `None` when the metric does not exist.
    pub(super) fn metric(&mut self, file: &File, name: &Text, of: &[Binding], span: &TextSpan) -> Option<AtomId> {
        if !METRICS.contains(&name.it.as_str()) {
            self.unknown(file, Code::UnknownMetric, name, format!("no agent measures `{}`", name.it), METRICS);
            return None;
        }
        let mut mounts = Vec::new();
        for binding in of {
            match &binding.value.it {
                _ if name.it != OF_MOUNTS || binding.name.it != "mount" => {
                    let message = format!("`{}` has no `{}`", name.it, binding.name.it);
                    self.report(file, Code::UnknownMetric, &binding.name.span, message).help =
                        Some(format!("only `{OF_MOUNTS}` has one: {OF_MOUNTS}(mount = \"/var\")"));
                    return None;
                }
                ExpressionKind::Literal(LiteralKind::Text(mount)) => mounts.push(mount.clone()),
                _ => {
                    self.report(file, Code::UnknownMetric, &binding.value.span, "write the mount point as a text in quotes");
                    return None;
                }
            }
        }
        let id = self.signal(file, Signal::Metric(name.it.clone()), span);
        self.only(id, "mount", mounts);
        Some(id)
    }

    /// A metric has a number for each host and, if it has mount points, for each of these.
    pub(super) fn metric_key(&mut self, file: &File, tree: &ast::Detect, found: &mut CompiledDetect, span: &TextSpan) {
        let Some(metric) = metric_of(&tree.parts) else { return };
        let wanted = metric_keys(metric);
        if found.by.is_empty() {
            found.by = wanted;
        } else if let Some(lacks) = wanted.iter().find(|key| !found.by.contains(key)) {
            let message = format!("without the key `{lacks}` metrics of different subjects are mixed");
            self.report(file, Code::KeysDiffer, span, message).help =
                Some(format!("write by {}, or remove `by`", wanted.join(", ")));
        }
    }
}

/// The metric that a condition is about.
pub(super) fn metric_of(parts: &[Choice]) -> Option<&ast::AtomSyntax> {
    let [Choice { atoms, .. }] = parts else { return None };
    match atoms.as_slice() {
        [metric @ ast::AtomSyntax::Metric { .. }] => Some(metric),
        _ => None,
    }
}

/// The keys that distinguish its numbers.
pub(super) fn metric_keys(metric: &ast::AtomSyntax) -> Vec<String> {
    let several = matches!(metric, ast::AtomSyntax::Metric { name, of, .. } if name.it == OF_MOUNTS && of.len() != 1);
    let keys: &[&str] = if several { &["host", "mount"] } else { &["host"] };
    keys.iter().map(|key| (*key).to_owned()).collect()
}
