//! Conditions of alarms and of composite patterns: how events belong together, their time, and what ends them.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::limits::METRIC_LASTS;
use crate::core::diag::{Code, Diagnostic};
use crate::core::lang::ast::{self, At, ChangeSyntax, File, TextSpan, TimeClause};
use crate::core::lang::program::{
    Aggregate, Alarm, Atom, AtomId, Comparison, Detection, Measure, REPLACED, Sender, Shape, Signal, Threshold,
};

use super::condition::CompiledDetect;
use super::predicates::one_of;
use super::renames::Inherited;
use super::states::{self, Joined, state_of};
use super::{Compiler, members};

impl<'t> Compiler<'t, '_> {
    /// Compiles the condition of an alarm or a pattern, and reports mistakes and doubts.
    pub(super) fn detection(
        &mut self,
        file: &'t File,
        of: &str,
        tree: &'t ast::Detect,
        inherited: Inherited<'_>,
        span: &TextSpan,
    ) -> CompiledDetect {
        match states::joined(tree) {
            Joined::Events => {}
            Joined::States { terms, all } => return self.states(file, of, tree, (&terms, all), inherited.by, span),
            Joined::Mixed { state, why } => {
                self.mixed(file, tree, state, &why);
                return CompiledDetect {
                    by: tree.tail.keys.by.iter().map(|w| w.it.clone()).collect(),
                    ..CompiledDetect::default()
                };
            }
        }
        let name = format!("{of}/detect");
        // Patterns are compiled first, so that their captures exist; a pattern of several events has its own renamings.
        tree.parts.iter().chain(&tree.unless).for_each(|choice| self.patterns_of(choice));
        let own = self.renamings(file, &tree.tail.keys, tree.parts.iter().chain(&tree.unless));
        self.renamings = [inherited.renamings, &own].concat();
        let before = self.found.len();
        let parts: Vec<_> = tree.parts.iter().map(|part| self.choice(file, part, &name, span)).collect();
        if matches!(tree.shape, Shape::Silence { .. } | Shape::Measure(_)) {
            // A silence of everything and a count of everything are useful.
            let kept = self.found.split_off(before).into_iter().filter(|d| d.code != Code::MatchesEverything);
            self.found.extend(kept.collect::<Vec<_>>());
        }
        let unless = tree.unless.as_ref().map(|choice| self.choice(file, choice, &name, span));
        let said: Vec<String> = tree.tail.keys.by.iter().map(|w| w.it.clone()).collect();
        let mut found =
            CompiledDetect { by: if said.is_empty() { inherited.by.to_vec() } else { said }, ..CompiledDetect::default() };
        // If a part could not be compiled, the condition has no meaning, and there is a diagnostic already.
        let Some(parts) = parts.into_iter().collect::<Option<Vec<_>>>() else { return found };
        let Some(unless) = unless.map_or(Some(Vec::new()), |atoms| atoms) else { return found };
        found.detect = Detection { parts, shape: tree.shape.clone(), unless, ..Detection::default() };
        let alone = state_of(&tree.parts).filter(|_| tree.shape == Shape::One);
        self.members_alone(file, tree.parts.iter().chain(&tree.unless), alone);
        // If a key replaces this field, `distinct` counts the event's own field, which is its sender.
        if let Shape::Count { distinct: Some(field), .. } = &mut found.detect.shape
            && self.is_called_otherwise(field)
            && REPLACED.contains(&field.as_str())
        {
            *field = format!("event.{field}");
        }
        self.state(file, tree, &mut found, span);
        self.metric_key(file, tree, &mut found, span);
        self.time(file, of, tree, &mut found, span);
        if let Shape::Silence { expected, .. } = &mut found.detect.shape {
            *expected = self.expected(&found.by, found.detect.parts.first().map(Vec::as_slice).unwrap_or_default());
        }
        found
    }

    /// A condition about one state ends with the state, and by default has its keys.
    fn state(&mut self, file: &File, tree: &ast::Detect, found: &mut CompiledDetect, span: &TextSpan) {
        let Some(state) = state_of(&tree.parts) else { return };
        match (state, &tree.shape) {
            (_, Shape::One) if members::on(state).is_some() => self.members(file, state, found),
            (ast::AtomSyntax::Alarm { name, change: ChangeSyntax::Unacked, .. }, Shape::Count { .. }) => {
                let message = format!("`alarm {} unacked` is the state of one alarm and cannot be counted", name.it);
                self.report(file, Code::BadTime, &name.span, message);
            }
            (ast::AtomSyntax::Alarm { name, change, .. }, Shape::One) => {
                found.ends = vec![self.signal(file, Signal::Cleared(name.it.clone()), &name.span)];
                if *change == ChangeSyntax::Unacked {
                    found.ends.push(self.signal(file, Signal::Acked(name.it.clone()), &name.span));
                    let again = self.signal(file, Signal::AckEnded(name.it.clone()), &name.span);
                    found.detect.parts.iter_mut().take(1).for_each(|part| part.push(again));
                }
                let keys = self.keys_of(&name.it);
                let mut said = found.by.clone();
                said.sort();
                let mut wanted = keys.clone();
                wanted.sort();
                if said.is_empty() {
                    found.by = keys;
                } else if said != wanted {
                    let message = format!("`alarm {} active` has the keys of that alarm, and these are different", name.it);
                    let help = format!("remove `by`, or count: 1 of alarm {} active by ...", name.it);
                    self.report(file, Code::KeysDiffer, span, message).help = Some(help);
                }
            }
            (ast::AtomSyntax::Alarm { name, change: ChangeSyntax::Lasts, .. }, Shape::Count { n, distinct: None }) => {
                found.detect.shape = Shape::Standing { n: *n, alarm: name.it.clone() };
                let ended = self.signal(file, Signal::Cleared(name.it.clone()), &name.span);
                found.detect.parts.push(vec![ended]);
            }
            (ast::AtomSyntax::Host { names, group, change: ChangeSyntax::Lasts, span, .. }, Shape::One) => {
                let hosts = self.those_hosts(file, names, group.as_ref());
                self.ends_by(file, Signal::HostBack, "host", hosts, span, found);
            }
            (ast::AtomSyntax::App { names, group, change: ChangeSyntax::Lasts, span, .. }, Shape::One) => {
                let apps = self.those_apps(file, names, group.as_ref());
                self.ends_by(file, Signal::AppRuns, "app", apps, span, found);
            }
            _ => {}
        }
    }

    /// A state that ends by itself, for each member that it is about.
    fn ends_by(
        &mut self,
        file: &File,
        signal: Signal,
        field: &str,
        those: Vec<String>,
        span: &TextSpan,
        found: &mut CompiledDetect,
    ) {
        let ended = self.signal(file, signal, span);
        self.only(ended, field, those);
        found.ends = vec![ended];
        if found.by.is_empty() {
            found.by = vec![field.to_owned()];
        }
    }

    /// Checks that the time of a condition fits its shape.
    pub(super) fn time(&mut self, file: &File, of: &str, tree: &ast::Detect, found: &mut CompiledDetect, span: &TextSpan) {
        let lasts = !found.ends.is_empty();
        if let Some(At { it: TimeClause::For(over, _) | TimeClause::Over(over, _) | TimeClause::Within(over, _), span }) =
            &tree.tail.time
            && over.is_zero()
        {
            self.report(file, Code::BadTime, span, "this duration is zero").help = Some("write `5m`, for example".to_owned());
        }
        let time = tree.tail.time.as_ref();
        match (&mut found.detect.shape, time.map(|t| &t.it)) {
            (Shape::One, Some(TimeClause::For(over, None))) if lasts => found.hold = Some(*over),
            (Shape::Members(_) | Shape::States(_), Some(TimeClause::For(over, None))) => found.hold = Some(*over),
            (Shape::States(_), Some(TimeClause::Within(..))) => {
                let message = "`within` is not valid with states, only with events";
                let help = "for events write `alarm X raised`; with `for 5m` the states must last that long".to_owned();
                self.report(file, Code::BadTime, time.map_or(span, |t| &t.span), message).help = Some(help);
            }
            (Shape::One, Some(TimeClause::Within(..))) => {
                let message = "`within` has no effect on a single event";
                self.report(file, Code::NoEffect, time.map_or(span, |t| &t.span), message);
            }
            (Shape::Silence { backoff, .. }, Some(TimeClause::For(over, growing))) => {
                found.detect.within = Some(*over);
                *backoff = *growing;
                if growing.is_some_and(|b| b.factor < 2 || b.up_to < b.factor) {
                    let message =
                        "the factor of `backoff` must be at least 2x and at most that of `up to`: `backoff 2x up to 8x`";
                    self.report(file, Code::BadCount, time.map_or(span, |t| &t.span), message);
                }
            }
            (Shape::Measure(Measure { what: Aggregate::Last, threshold, .. }), said) => {
                found.detect.within = Some(METRIC_LASTS);
                match said {
                    None => {}
                    Some(TimeClause::For(lasts, None)) => threshold.lasts = Some(*lasts),
                    Some(_) => self.metric_time(file, tree, span),
                }
            }
            (Shape::Measure(measure), Some(TimeClause::Over(over, threshold))) => {
                found.detect.within = Some(*over);
                measure.threshold = *threshold;
                self.measure_field(file, tree, span);
            }
            (Shape::Without | Shape::NotPreceded | Shape::Silence { .. } | Shape::Measure(_), None) => {
                let message = format!("`{of}` has no time: it does not say how long to wait");
                let help = match &found.detect.shape {
                    Shape::Silence { .. } => "add for example `for 5m` at the end",
                    Shape::Measure(_) => "add for example `over 5m > 500` at the end",
                    _ => "add for example `within 30s` at the end",
                };
                self.report(file, Code::NoWindow, span, message).help = Some(help.to_owned());
            }
            (Shape::Count { .. }, None) if tree.unless.is_some() => {}
            (Shape::Count { .. } | Shape::Sequence { .. } | Shape::All { .. }, None) => {
                let message = format!("`{of}` joins events that may be years apart");
                let help = "add `within 10m` at the end; for a count, `unless B` starts it again".to_owned();
                self.report(file, Code::EndlessWindow, span, message).help = Some(help);
            }
            (shape @ (Shape::Sequence { each: false } | Shape::Without), Some(TimeClause::Within(within, Some(slack)))) => {
                if slack.is_zero() || slack >= within {
                    let message =
                        "`slack` is how much too early an event may come: it must be longer than zero and shorter than `within`";
                    let named = if *shape == Shape::Without { "down without up" } else { "A then B" };
                    self.report(file, Code::BadTime, time.map_or(span, |t| &t.span), message).help =
                        Some(format!("`{named} within 30s slack 2s`"));
                }
                found.detect.within = Some(*within);
                found.detect.slack = Some(*slack);
            }
            (_, Some(TimeClause::Within(_, Some(_)))) => {
                let message =
                    "`slack` allows a later event of an order to come a little too early, and this condition has no order";
                self.report(file, Code::BadTime, time.map_or(span, |t| &t.span), message).help = Some(
                    "it is valid after `A then B within 30s` and `A without B within 30s`, not after `then each`".to_owned(),
                );
            }
            (
                Shape::Count { .. } | Shape::Sequence { .. } | Shape::All { .. } | Shape::Without | Shape::NotPreceded,
                Some(TimeClause::Within(within, None)),
            ) => {
                found.detect.within = Some(*within);
            }
            (_, None) => {}
            (shape, Some(_)) => {
                let help = match shape {
                    Shape::Silence { .. } => "write `for 5m` with a silence",
                    Shape::Measure(_) => "write `over 5m > 500` with a measure",
                    Shape::One | Shape::Standing { .. } | Shape::Members(_) | Shape::States(_) => {
                        "a single event has no time; a state may have `for 5m`; `hold 5m` is a clause of the alarm"
                    }
                    _ => "use `within 5m`",
                };
                let word = match time.map(|t| &t.it) {
                    Some(TimeClause::Within(..)) => "within",
                    Some(TimeClause::For(..)) => "for",
                    Some(TimeClause::Over(..)) | None => "over",
                };
                let message = format!("`{word}` is not valid with this condition");
                self.report(file, Code::BadTime, time.map_or(span, |t| &t.span), message).help = Some(help.to_owned());
            }
        }
    }

    fn metric_time(&mut self, file: &File, tree: &ast::Detect, span: &TextSpan) {
        let at = tree.tail.time.as_ref().map_or(span, |t| &t.span);
        let message = "this time is not valid with a metric";
        self.report(file, Code::BadTime, at, message).help = Some("a metric may have `for 5m`".to_owned());
    }

    fn measure_field(&mut self, file: &File, tree: &ast::Detect, span: &TextSpan) {
        let Shape::Measure(Measure { what, field, .. }) = &tree.shape else { return };
        let counts = matches!(what, Aggregate::Count | Aggregate::Rate);
        let message = match (counts, field) {
            (true, Some(_)) => "a count or a rate is about events, not about a field",
            (false, None) => "this measure does not name a field",
            _ => return,
        };
        let at = tree.tail.time.as_ref().map_or(span, |t| &t.span);
        self.report(file, Code::BadTime, at, message).help = Some("write for example avg(ms) of A, or count of A".to_owned());
    }

    /// Compiles a measure that cancels.
    pub(super) fn measured(&mut self, file: &'t File, of: &str, tree: &'t ast::Detect, span: &TextSpan) -> Option<super::Cancel> {
        let name = format!("{of}/cancel");
        let atoms = tree.parts.iter().map(|part| self.choice(file, part, &name, span)).collect::<Option<Vec<_>>>()?.concat();
        if let Shape::Measure(measure @ Measure { what: Aggregate::Last, .. }) = &tree.shape {
            let mut measure = measure.clone();
            match tree.tail.time.as_ref().map(|t| &t.it) {
                None => {}
                Some(TimeClause::For(lasts, None)) => measure.threshold.lasts = Some(*lasts),
                Some(_) => self.metric_time(file, tree, span),
            }
            return Some(super::Cancel::Measured { of: atoms, over: METRIC_LASTS, measure });
        }
        self.measure_field(file, tree, span);
        match (&tree.shape, tree.tail.time.as_ref().map(|t| &t.it)) {
            (Shape::Measure(measure), Some(TimeClause::Over(over, threshold))) => {
                let measure = Measure { threshold: *threshold, ..measure.clone() };
                Some(super::Cancel::Measured { of: atoms, over: *over, measure })
            }
            _ => {
                let message = format!("the measure that ends `{of}` has no time");
                let help = "write for example `cancel when count of A over 10m <= 2`".to_owned();
                self.report(file, Code::NoWindow, span, message).help = Some(help);
                None
            }
        }
    }

    /// Reports thresholds the wrong way round. `< 300` ends `> 500`, but `< 800` does not: the same values, or none, would
    /// raise and end it.
    pub(super) fn wrong_way_round(&mut self, file: &File, shape: &Shape, ends: Threshold, span: &TextSpan) {
        use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
        let Shape::Measure(Measure { threshold: raises, .. }) = shape else { return };
        let up = |c: Comparison| matches!(c, Greater | GreaterOrEqual);
        let down = |c: Comparison| matches!(c, Less | LessOrEqual);
        let (above, below) = (up(raises.comparison) && down(ends.comparison), down(raises.comparison) && up(ends.comparison));
        let help = match () {
            () if up(raises.comparison) && up(ends.comparison) || down(raises.comparison) && down(ends.comparison) => {
                "the end must compare the other way: `detect ... > 500` ends with `cancel when < 400`"
            }
            () if above && ends.amount > raises.amount || below && ends.amount < raises.amount => {
                "the end must be on the other side of the threshold: `detect ... > 500` ends with `cancel when < 400`"
            }
            () => return,
        };
        let message = "some values both raise and end this alarm, so it would be raised and ended again and again";
        self.report(file, Code::WrongWayRound, span, message).help = Some(help.to_owned());
    }

    /// `cancel when < 300`: valid only for a measure.
    pub(super) fn falls(&mut self, file: &File, shape: &Shape, threshold: Threshold, span: &TextSpan) -> super::Cancel {
        if !matches!(shape, Shape::Measure(_)) {
            let message = "only a measure can be compared with a number";
            let help = "write for example `cancel when count of A over 10m <= 2`".to_owned();
            self.report(file, Code::BadTime, span, message).help = Some(help);
        }
        super::Cancel::Falls(threshold)
    }

    /// The atom of a change in the engine.
    pub(super) fn signal(&mut self, file: &File, signal: Signal, span: &TextSpan) -> AtomId {
        if let Signal::Raised(alarm) | Signal::Cleared(alarm) | Signal::Acked(alarm) | Signal::AckEnded(alarm) = &signal
            && !self.alarm_names.contains(alarm.as_str())
        {
            let word = At { it: alarm.clone(), span: span.clone() };
            let known: Vec<&str> = self.alarm_names.iter().copied().collect();
            self.unknown(file, Code::UnknownAlarm, &word, format!("there is no alarm `{alarm}`"), known);
        }
        let name = match &signal {
            Signal::Raised(name) => format!("alarm {name} raised"),
            Signal::Cleared(name) => format!("alarm {name} cleared"),
            Signal::Acked(name) => format!("alarm {name} acked"),
            Signal::AckEnded(name) => format!("alarm {name} not acked any more"),
            Signal::Occurrence(name) => name.clone(),
            Signal::HostLost => "host lost".to_owned(),
            Signal::HostBack => "host back".to_owned(),
            Signal::AppStopped => "app stopped".to_owned(),
            Signal::AppRuns => "app running".to_owned(),
            Signal::Metric(name) => format!("metric {name}"),
            Signal::Begins(name) => format!("calendar {name} begins"),
            Signal::Ends(name) => format!("calendar {name} ends"),
        };
        self.add(Atom { signal: Some(signal), ..Atom::new(name, file.place(span)) })
    }

    /// Restricts an atom to these values of a field; an empty list means all.
    pub(super) fn only(&mut self, atom: AtomId, field: &str, names: Vec<String>) {
        if let Some(atom) = self.program.atoms.get_mut(atom.0 as usize).filter(|_| !names.is_empty()) {
            atom.predicates.push(std::sync::Arc::new(one_of(field, names)));
        }
    }

    /// The keys of a silence that are expected from the start: all that the inventory has.
    fn expected(&self, by: &[String], atoms: &[AtomId]) -> Vec<Vec<String>> {
        let [field] = by else { return if by.is_empty() { vec![Vec::new()] } else { Vec::new() } };
        // The key is what the events are about, not their sender.
        if self.is_called_otherwise(field) {
            return Vec::new();
        }
        let Some(inventory) = self.world.inventory else { return Vec::new() };
        let from: Vec<&Sender> =
            atoms.iter().filter_map(|a| self.program.atoms.get(a.0 as usize)).flat_map(|a| &a.from).collect();
        let wanted = |app: &str| {
            let application = &inventory.applications[app];
            from.is_empty()
                || from.iter().any(|sender| match sender {
                    Sender::App(name) => name == app,
                    Sender::Type(kind) => *kind == application.kind,
                    Sender::Host(host) => *host == application.host,
                })
        };
        let apps: Vec<&String> = inventory.applications.keys().filter(|app| wanted(app)).collect();
        let names: BTreeSet<&String> = match field.as_str() {
            "app" => apps.into_iter().collect(),
            "host" if from.is_empty() => inventory.hosts.keys().collect(),
            "host" => {
                let named = from.iter().filter_map(|s| if let Sender::Host(h) = s { Some(h) } else { None });
                let known = named.filter(|h| inventory.hosts.contains_key(*h));
                let of_apps = from.iter().any(|s| !matches!(s, Sender::Host(_)));
                let hosts = apps.iter().filter(|_| of_apps).map(|app| &inventory.applications[*app].host);
                known.chain(hosts).collect()
            }
            "pair" => {
                let of = |pair: &crate::core::inventory::Pair| apps.iter().any(|a| **a == pair.primary || **a == pair.backup);
                inventory.pairs.iter().filter(|(_, pair)| of(pair)).map(|(name, _)| name).collect()
            }
            _ => return Vec::new(),
        };
        names.into_iter().map(|name| vec![name.clone()]).collect()
    }

    /// The keys of an alarm, which another file or a later line may define.
    fn keys_of(&self, alarm: &str) -> Vec<String> {
        self.alarm_keys.get(alarm).cloned().unwrap_or_default()
    }
}

impl Compiler<'_, '_> {
    /// Reports once each alarm whose own consequences raise it.
    pub(super) fn cycles(&mut self) {
        let alarms = &self.program.alarms;
        let about = |alarm: &Alarm| -> Vec<String> {
            let atoms = alarm.detect.parts.iter().flatten().filter_map(|a| self.program.atoms.get(a.0 as usize));
            let signals = atoms.filter_map(|a| a.signal.as_ref()).filter_map(|signal| match signal {
                Signal::Raised(name) | Signal::Cleared(name) => Some(name.clone()),
                Signal::Occurrence(name) => Some(format!("pattern {name}")),
                _ => None,
            });
            signals.collect()
        };
        let edges: BTreeMap<&str, Vec<String>> = alarms.iter().map(|a| (a.name.as_str(), about(a))).collect();
        let mut cycles = Vec::new();
        for alarm in alarms {
            let mut seen: BTreeSet<&str> = BTreeSet::new();
            let mut next: Vec<&str> = edges.get(alarm.name.as_str()).into_iter().flatten().map(String::as_str).collect();
            while let Some(name) = next.pop() {
                if seen.insert(name) {
                    next.extend(edges.get(name).into_iter().flatten().map(String::as_str));
                }
            }
            if seen.contains(alarm.name.as_str()) {
                let message = format!("`{}` is raised by its own consequences", alarm.name);
                cycles.push(Diagnostic::new(Code::Cycle, alarm.place.clone(), message));
            }
        }
        self.found.extend(cycles);
    }
}
