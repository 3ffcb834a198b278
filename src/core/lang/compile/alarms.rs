//! Alarms: gathers clauses, fills in defaults, finds contradictions.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::limits::{COUNT, COUNTED_KEYS, KEPT_LINES};
use crate::core::base::time::duration_text;
use crate::core::diag::{Code, Place};
use crate::core::lang::ast::{self, CancelSyntax, ClauseKind, ClauseSyntax, File, Item, Text, TextSpan};
use crate::core::lang::calendar::Calendar;
use crate::core::lang::program::{Alarm, AtomId, Cancel, Category, Limit, Mode, Shape, WhileActive};

use super::Compiler;
use super::renames::Inherited;

const CATEGORIES: &[&str] = &["critical", "major", "minor", "none"];
const MODES: &[&str] = &["live", "dry", "confirm", "off"];

/// The name of a clause that an alarm has at most once.
fn single(kind: &ClauseKind) -> Option<&'static str> {
    match kind {
        ClauseKind::Category(_) => Some("category"),
        ClauseKind::Summary(_) => Some("summary"),
        ClauseKind::EndSummary(_) => Some("on cancel summary"),
        ClauseKind::Help(_) => Some("help"),
        ClauseKind::Detect(_) => Some("detect"),
        ClauseKind::WhileActive(_) => Some("while active"),
        ClauseKind::Mode(..) => Some("mode"),
        ClauseKind::MaxAge(_) => Some("max age"),
        ClauseKind::Hold(_) => Some("hold"),
        ClauseKind::InhibitedBy(_) => Some("inhibited by"),
        ClauseKind::OnlyDuring(_) => Some("only during"),
        ClauseKind::NotDuring(_) => Some("not during"),
        ClauseKind::Limit { .. } => Some("limit"),
        ClauseKind::React(_) => Some("react"),
        ClauseKind::OnCancel(_) => Some("on cancel react"),
        ClauseKind::MaxKeys(_) => Some("max keys"),
        ClauseKind::Keep(_) => Some("keep"),
        ClauseKind::OnlyWhile { .. } | ClauseKind::Cancel(_) | ClauseKind::Later(_) => None,
    }
}

/// The kind of a clause, by which an alarm's clause replaces a default.
fn kind(clause: &ClauseKind) -> &'static str {
    match clause {
        ClauseKind::Cancel(_) => "cancel",
        ClauseKind::OnlyWhile { .. } => "only while",
        ClauseKind::Later("on") => "on cancel react",
        ClauseKind::Later("while") => "while active",
        ClauseKind::Later("max") => "max age",
        ClauseKind::Later("inhibited") => "inhibited by",
        ClauseKind::Later("only") => "only during",
        ClauseKind::Later("not") => "not during",
        ClauseKind::Later(word) => word,
        other => single(other).unwrap_or(""),
    }
}

impl<'t> Compiler<'t, '_> {
    pub(super) fn alarms(&mut self, trees: &'t [File]) {
        let mut places: BTreeMap<&str, Place> = BTreeMap::new();
        for file in trees {
            let mut defaults: Vec<&'t ClauseSyntax> = Vec::new();
            for item in &file.items {
                if let Item::Defaults(clauses) = item {
                    for clause in clauses {
                        if matches!(clause.it, ClauseKind::Detect(_)) {
                            self.report(
                                file,
                                Code::ClauseNotHere,
                                &clause.span,
                                "`defaults` cannot have `detect`: each alarm has its own",
                            );
                        }
                    }
                    defaults.extend(clauses);
                }
            }
            for item in &file.items {
                let Item::Alarm(alarm) = item else { continue };
                if let Some(first) = places.get(alarm.name.it.as_str()).cloned() {
                    self.twice(file, &alarm.name, "alarms", first);
                    continue;
                }
                places.insert(&alarm.name.it, file.place(&alarm.name.span));
                self.alarm(file, alarm, &defaults);
            }
        }
    }

    fn alarm(&mut self, file: &'t File, tree: &'t ast::AlarmSyntax, defaults: &[&'t ClauseSyntax]) {
        let mut seen: BTreeMap<&str, TextSpan> = BTreeMap::new();
        for clause in &tree.clauses {
            if let Some(name) = single(&clause.it)
                && let Some(first) = seen.insert(name, clause.span.clone())
            {
                let message = format!("`{name}` is given twice in `{}`", tree.name.it);
                let first = file.place(&first);
                self.report(file, Code::DuplicateClause, &clause.span, message).context.push((first, "first here".to_owned()));
            }
        }
        let own: Vec<&str> = tree.clauses.iter().map(|c| kind(&c.it)).collect();
        let inherited = defaults.iter().copied().filter(|c| !own.contains(&kind(&c.it)));
        let clauses: Vec<&'t ClauseSyntax> = inherited.chain(&tree.clauses).collect();
        let mut alarm = Alarm::new(tree.name.it.clone(), file.place(&tree.name.span));
        let mut ends = Vec::new();
        let mut detected = false;
        let mut limit = None;
        for clause in &clauses {
            match &clause.it {
                ClauseKind::Category(word) => alarm.category = self.category(file, word),
                ClauseKind::Summary(text) => alarm.summary = text.it.clone(),
                ClauseKind::EndSummary(text) => alarm.end_summary = text.it.clone(),
                ClauseKind::Help(text) => alarm.help = text.it.clone(),
                ClauseKind::Detect(detect) => {
                    detected = true;
                    let found = self.detection(file, &tree.name.it, detect, Inherited::default(), &clause.span);
                    alarm.by = found.by;
                    alarm.detect = found.detect;
                    alarm.hold = alarm.hold.or(found.hold);
                    ends = found.ends;
                }
                ClauseKind::React(chains) => alarm.react = self.chains(file, chains),
                ClauseKind::OnCancel(chains) => alarm.on_cancel = self.chains(file, chains),
                ClauseKind::WhileActive(word) => {
                    alarm.while_active = match word.it.as_str() {
                        "ignore" => WhileActive::Ignore,
                        "rerun" => WhileActive::Rerun,
                        _ => WhileActive::Refresh,
                    }
                }
                ClauseKind::Mode(word, within) => alarm.mode = self.mode(file, word, *within),
                ClauseKind::MaxAge(age) => alarm.max_age = Some(*age),
                ClauseKind::Hold(span) => alarm.hold = Some(*span),
                ClauseKind::Limit { n, per, by } => limit = Some((clause, n, *per, by)),
                ClauseKind::InhibitedBy(words) => {
                    self.inhibitors(file, words);
                    alarm.inhibited_by.extend(words.iter().map(|w| w.it.clone()));
                }
                ClauseKind::OnlyWhile { alarm: word, active } => {
                    self.inhibitors(file, std::slice::from_ref(word));
                    let names = if *active { &mut alarm.only_while } else { &mut alarm.only_while_not };
                    names.push(word.it.clone());
                }
                ClauseKind::MaxKeys(n) => {
                    if n.it == 0 || n.it > COUNTED_KEYS {
                        self.report(file, Code::BadCount, &n.span, format!("`max keys` must be between 1 and {COUNTED_KEYS}"));
                    }
                    alarm.max_keys = Some(n.it);
                }
                ClauseKind::Keep(n) => {
                    if n.it == 0 || n.it > KEPT_LINES {
                        self.report(file, Code::BadCount, &n.span, format!("an alarm can keep between 1 and {KEPT_LINES} lines"));
                    }
                    alarm.keep = n.it;
                }
                ClauseKind::OnlyDuring(words) => alarm.only_during = self.calendar_names(file, words),
                ClauseKind::NotDuring(words) => alarm.not_during = self.calendar_names(file, words),
                ClauseKind::Later("detect" | "") => detected = true,
                ClauseKind::Cancel(_) | ClauseKind::Later(_) => {}
            }
        }
        if !detected {
            let message = format!("`{}` does not say what raises it", tree.name.it);
            self.report(file, Code::NoDetect, &tree.name.span, message).help =
                Some("write detect event 00-04561 from app NAME, for example".to_owned());
        }
        alarm.limit = limit.and_then(|(clause, n, per, by)| self.limit(file, &alarm, clause, n, per, by));
        self.cancels(file, tree, &clauses, &mut alarm, ends);
        self.renamings.clear();
        self.never_long_enough(file, &clauses, &alarm);
        self.doubts(file, tree, &clauses, &alarm);
        self.program.alarms.push(alarm);
    }

    /// Reports a silence that is longer than any period of its calendars.
    fn never_long_enough(&mut self, file: &File, clauses: &[&ClauseSyntax], alarm: &Alarm) {
        let (Shape::Silence { .. }, Some(lasts)) = (&alarm.detect.shape, alarm.detect.within) else { return };
        let calendars: Vec<&Calendar> = alarm.only_during.iter().filter_map(|name| self.program.calendars.get(name)).collect();
        let Some(longest) = calendars.iter().filter_map(|calendar| calendar.longest()).max() else { return };
        if longest >= lasts || calendars.len() > 1 {
            return; // Several calendars may follow each other.
        }
        let span = clauses.iter().find(|c| matches!(c.it, ClauseKind::OnlyDuring(_))).map(|c| c.span.clone());
        let message = format!(
            "`{}` waits for a silence of {}, but no period of its calendar is longer than {}: it is never raised",
            alarm.name,
            duration_text(lasts),
            duration_text(longest)
        );
        let span = span.unwrap_or(alarm.place.bytes.clone());
        self.report(file, Code::NeverLongEnough, &span, message).help =
            Some("a silence is measured within one period of the calendar: make its `for` shorter".to_owned());
    }

    /// Compiles a limit. Its keys are keys of the alarm; default: all of them.
    fn limit(
        &mut self,
        file: &File,
        alarm: &Alarm,
        clause: &ClauseSyntax,
        n: &ast::At<usize>,
        per: Duration,
        by: &[Text],
    ) -> Option<Limit> {
        if n.it == 0 || n.it > COUNT {
            self.report(file, Code::BadCount, &n.span, format!("a limit must be between 1 and {COUNT}"));
        }
        if per.is_zero() {
            let help = "write `limit 2 per 10m`, for example".to_owned();
            self.report(file, Code::BadTime, &clause.span, "this duration is zero").help = Some(help);
        }
        if alarm.react.is_empty() {
            self.report(file, Code::NoEffect, &clause.span, "`limit` applies to reactions, and there is no `react`");
        }
        let mut places: Vec<usize> = (0..alarm.by.len()).collect();
        if !by.is_empty() {
            places.clear();
            for word in by {
                match alarm.by.iter().position(|field| *field == word.it) {
                    Some(place) => places.push(place),
                    None => {
                        let message =
                            format!("the keys of `limit` must be keys of `detect`, and `{}` is not one of them", word.it);
                        let known: Vec<&str> = alarm.by.iter().map(String::as_str).collect();
                        self.unknown(file, Code::KeysDiffer, word, message, known);
                    }
                }
            }
        }
        Some(Limit { n: n.it, per, by: places })
    }

    fn inhibitors(&mut self, file: &File, words: &[Text]) {
        for word in words {
            if !self.alarm_names.contains(word.it.as_str()) {
                let known = self.alarm_names();
                self.unknown(file, Code::UnknownAlarm, word, format!("there is no alarm `{}`", word.it), known);
            }
        }
    }

    fn cancels(
        &mut self,
        file: &'t File,
        tree: &ast::AlarmSyntax,
        clauses: &[&'t ClauseSyntax],
        alarm: &mut Alarm,
        ends: Vec<AtomId>,
    ) {
        let mut unread = false;
        for clause in clauses {
            match &clause.it {
                ClauseKind::Cancel(CancelSyntax::After { span, since_raise }) => {
                    alarm.cancel.push(Cancel::After { span: *span, since_raise: *since_raise });
                }
                ClauseKind::Cancel(CancelSyntax::When { choice, keys }) => {
                    let by: Vec<String> = keys.by.iter().map(|w| w.it.clone()).collect();
                    self.same_keys(file, &by, alarm, &clause.span);
                    let name = format!("{}/cancel", tree.name.it);
                    self.members_alone(file, [choice], None);
                    self.patterns_of(choice);
                    let own = self.renamings(file, keys, [choice]);
                    let of_detect = self.renamings.clone();
                    self.renamings.extend(own);
                    let atoms = self.choice(file, choice, &name, &clause.span);
                    self.renamings = of_detect;
                    match atoms {
                        Some(atoms) => {
                            let atoms = self.same_senders(alarm, atoms);
                            alarm.cancel.push(Cancel::When(atoms));
                        }
                        None => unread = true,
                    }
                }
                ClauseKind::Cancel(CancelSyntax::Falls(threshold)) => {
                    self.wrong_way_round(file, &alarm.detect.shape, *threshold, &clause.span);
                    let cancel = self.falls(file, &alarm.detect.shape, *threshold, &clause.span);
                    alarm.cancel.push(cancel);
                }
                ClauseKind::Cancel(CancelSyntax::Measured(detect)) => {
                    let by: Vec<String> = detect.tail.keys.by.iter().map(|w| w.it.clone()).collect();
                    self.same_keys(file, &by, alarm, &clause.span);
                    let cancel = self.measured(file, &tree.name.it, detect, &clause.span);
                    alarm.cancel.extend(cancel);
                }
                ClauseKind::Cancel(CancelSyntax::Comes(detect)) => {
                    let by: Vec<String> = detect.tail.keys.by.iter().map(|w| w.it.clone()).collect();
                    self.same_keys(file, &by, alarm, &clause.span);
                    let nth = alarm.cancel.len();
                    let name = Text { it: format!("{}/cancel {nth}", tree.name.it), span: clause.span.clone() };
                    let of_detect = std::mem::take(&mut self.renamings);
                    let inherited = Inherited { by: &alarm.by, renamings: &of_detect };
                    let atom = self.named_condition(file, &name, detect, inherited, &clause.span);
                    self.renamings = of_detect;
                    unread |= atom.is_none();
                    alarm.cancel.extend(atom.map(|atom| Cancel::When(vec![atom])));
                }
                ClauseKind::Cancel(CancelSyntax::AtOnce) => alarm.cancel.push(Cancel::AtOnce),
                ClauseKind::Cancel(CancelSyntax::ByHand) => alarm.cancel.push(Cancel::ByHand),
                ClauseKind::Later("cancel" | "") => unread = true,
                _ => {}
            }
        }
        if alarm.cancel.contains(&Cancel::AtOnce) && alarm.cancel.len() > 1 {
            let message = format!("`{}` is cancelled at once, so nothing else can cancel it", tree.name.it);
            self.report(file, Code::CancelContradiction, &tree.name.span, message);
        }
        if alarm.cancel.contains(&Cancel::AtOnce) && alarm.while_active != WhileActive::Refresh {
            let message = format!("`{}` is cancelled at once and never active, so `while active` has no effect", tree.name.it);
            self.report(file, Code::NoEffect, &tree.name.span, message);
        }
        if let (Some(_), Shape::Without) = (alarm.hold, &alarm.detect.shape) {
            let message = format!(
                "`{}` already waits for an event that must not arrive: make its `within` longer instead of using `hold`",
                tree.name.it
            );
            self.report(file, Code::CancelContradiction, &tree.name.span, message);
        }
        if alarm.cancel.is_empty() && !ends.is_empty() {
            alarm.cancel.push(Cancel::When(ends));
        } else if alarm.hold.is_some() {
            // Something else ends the alarm, and its state still has to last until it is raised.
            alarm.detect.unless.extend(ends);
        }
        // If a condition could not be compiled, it is unknown whether it ends by itself.
        let compiled = !alarm.detect.parts.is_empty();
        if alarm.cancel.is_empty() && !unread && compiled && !alarm.detect.is_state() {
            let message = format!("`{}` has no `cancel`: it stays active until an operator clears it", tree.name.it);
            let help =
                "if that is intended, write `cancel by hand`; otherwise `cancel after 1h`, `cancel when ...` or `cancel at once`"
                    .to_owned();
            self.report(file, Code::NoCancel, &tree.name.span, message).help = Some(help);
        }
    }

    fn same_keys(&mut self, file: &File, by: &[String], alarm: &Alarm, span: &TextSpan) {
        if !by.is_empty() && by != alarm.by {
            let message = "`cancel when` must have the keys of `detect`, and these are different";
            self.report(file, Code::KeysDiffer, span, message).help = Some("remove the `by` of `cancel when`".to_owned());
        }
    }

    /// An inline `cancel when event ...` without a sender has the senders of the `detect`.
    fn same_senders(
        &mut self,
        alarm: &Alarm,
        atoms: Vec<crate::core::lang::program::AtomId>,
    ) -> Vec<crate::core::lang::program::AtomId> {
        let atom = |me: &Self, id: crate::core::lang::program::AtomId| me.program.atoms.get(id.0 as usize).cloned();
        let senders: Vec<_> = alarm.detect.parts.iter().flatten().filter_map(|id| atom(self, *id)).map(|a| a.from).collect();
        let Some(first) = senders.first().cloned().filter(|f| senders.iter().all(|s| s == f)) else { return atoms };
        for id in &atoms {
            if let Some(atom) = self.program.atoms.get_mut(id.0 as usize)
                && atom.name.ends_with("/cancel")
                && atom.from.is_empty()
            {
                atom.from.clone_from(&first);
            }
        }
        atoms
    }

    fn category(&mut self, file: &File, word: &Text) -> Category {
        match word.it.as_str() {
            "critical" => Category::Critical,
            "major" => Category::Major,
            "minor" => Category::Minor,
            "none" => Category::None,
            other => {
                let message = format!("there is no category `{other}`");
                self.unknown(file, Code::UnknownCategory, word, message, CATEGORIES.iter().copied());
                Category::default()
            }
        }
    }

    fn mode(&mut self, file: &File, word: &Text, within: Option<Duration>) -> Mode {
        if within.is_some() && word.it != "confirm" {
            self.report(file, Code::NoEffect, &word.span, "`within` is valid only with `mode confirm`");
        }
        match word.it.as_str() {
            "live" => Mode::Live,
            "dry" => Mode::Dry,
            "off" => Mode::Off,
            "confirm" => Mode::Confirm { within: within.unwrap_or(crate::core::base::limits::CONFIRM_WITHIN) },
            other => {
                let message = format!("there is no mode `{other}`");
                self.unknown(file, Code::UnknownMode, word, message, MODES.iter().copied());
                Mode::default()
            }
        }
    }
}
