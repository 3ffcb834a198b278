//! Walks the tree of a rule file and collects its names.

use super::super::ast::{
    AtomSyntax, Binding, CalendarClause, CancelSyntax, Chain, Choice, ClauseKind, ClauseSyntax, Detect, Element, EventSyntax,
    ExpressionKind, ExpressionSyntax, From, Item, Keys, LiteralKind, OperandSyntax, PatternClause, PredicateSyntax,
    ReactionClause, Regex, Relation, SenderSyntax, Text, TextSpan,
};
use super::{NameKind, NamePlace, ParameterOf};

/// The names found so far, and the text of the file.
pub(super) struct Walk<'t> {
    pub(super) text: &'t str,
    pub(super) names: Vec<NamePlace>,
}

impl Walk<'_> {
    fn add(&mut self, kind: NameKind, text: &str, span: &TextSpan, defines: bool) -> Option<&mut NamePlace> {
        let there = self.text.get(span.clone())?;
        let inner = there.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
        let written = inner.map_or(there == text, |inner| !inner.contains('\\') && inner == text);
        self.names.push(NamePlace { kind, text: text.to_owned(), span: span.clone(), defines, written, owner: None });
        self.names.last_mut()
    }

    fn define(&mut self, kind: NameKind, name: &Text) {
        self.add(kind, &name.it, &name.span, true);
    }

    fn refer(&mut self, kind: NameKind, name: &Text) {
        self.add(kind, &name.it, &name.span, false);
    }

    fn refer_all(&mut self, kind: NameKind, names: &[Text]) {
        names.iter().for_each(|name| self.refer(kind, name));
    }

    pub(super) fn item(&mut self, item: &Item) {
        match item {
            Item::Alarm(alarm) => {
                self.define(NameKind::Alarm, &alarm.name);
                self.clauses(&alarm.clauses);
            }
            Item::Defaults(clauses) => self.clauses(clauses),
            Item::Pattern(pattern) | Item::Ignore(pattern) => {
                self.define(NameKind::Pattern, &pattern.name);
                pattern.clauses.iter().for_each(|clause| self.pattern_clause(&clause.it));
            }
            Item::Piece(piece) => {
                self.define(NameKind::Piece, &piece.name);
                self.regex(&piece.regex);
            }
            Item::List(list) => {
                self.define(NameKind::List, &list.name);
            }
            Item::Reaction(reaction) => {
                self.define(NameKind::Reaction, &reaction.name);
                for clause in &reaction.clauses {
                    match &clause.it {
                        ReactionClause::Script(script) => self.refer(NameKind::Script, script),
                        ReactionClause::With(bindings) => self.bindings(&reaction.name.it, bindings),
                        ReactionClause::Timeout(_)
                        | ReactionClause::Retry(..)
                        | ReactionClause::Trust(_)
                        | ReactionClause::Later => {}
                    }
                }
            }
            Item::Calendar(calendar) => {
                self.define(NameKind::Calendar, &calendar.name);
                for clause in &calendar.clauses {
                    if let CalendarClause::Except(names) = &clause.it {
                        self.refer_all(NameKind::Calendar, names);
                    }
                }
            }
        }
    }

    fn clauses(&mut self, clauses: &[ClauseSyntax]) {
        for clause in clauses {
            match &clause.it {
                ClauseKind::Summary(text) | ClauseKind::EndSummary(text) => self.summary(text),
                ClauseKind::Detect(detect) => self.detect(detect),
                ClauseKind::Cancel(cancel) => match cancel {
                    CancelSyntax::When { choice, keys } => {
                        self.choice(choice);
                        self.keys(keys);
                    }
                    CancelSyntax::Measured(detect) | CancelSyntax::Comes(detect) => self.detect(detect),
                    CancelSyntax::After { .. } | CancelSyntax::Falls(_) | CancelSyntax::AtOnce | CancelSyntax::ByHand => {}
                },
                ClauseKind::React(chains) | ClauseKind::OnCancel(chains) => self.chains(chains),
                ClauseKind::Limit { by, .. } => self.refer_all(NameKind::Field, by),
                ClauseKind::InhibitedBy(names) => self.refer_all(NameKind::Alarm, names),
                ClauseKind::OnlyWhile { alarm, .. } => self.refer(NameKind::Alarm, alarm),
                ClauseKind::OnlyDuring(names) | ClauseKind::NotDuring(names) => self.refer_all(NameKind::Calendar, names),
                ClauseKind::Category(_)
                | ClauseKind::Help(_)
                | ClauseKind::WhileActive(_)
                | ClauseKind::Mode(..)
                | ClauseKind::MaxAge(_)
                | ClauseKind::Hold(_)
                | ClauseKind::MaxKeys(_)
                | ClauseKind::Keep(_)
                | ClauseKind::Later(_) => {}
            }
        }
    }

    /// The fields in braces in a text for people.
    fn summary(&mut self, text: &Text) {
        let Some(written) = self.text.get(text.span.clone()) else { return };
        let written = written.to_owned();
        for (at, _) in written.match_indices('{') {
            let Some((name, _)) = written[at + 1..].split_once('}') else { return };
            if super::is_plain_name(name) {
                let start = text.span.start + at + 1;
                self.add(NameKind::Field, name, &(start..start + name.len()), false);
            }
        }
    }

    fn detect(&mut self, detect: &Detect) {
        detect.parts.iter().chain(&detect.unless).for_each(|choice| self.choice(choice));
        self.keys(&detect.tail.keys);
    }

    fn keys(&mut self, keys: &Keys) {
        self.refer_all(NameKind::Field, &keys.by);
        keys.renames.iter().for_each(|rename| self.refer(NameKind::Field, &rename.of));
    }

    fn choice(&mut self, choice: &Choice) {
        choice.atoms.iter().for_each(|atom| self.atom(atom));
        if let Some(condition) = &choice.condition {
            self.predicate(condition);
        }
    }

    fn atom(&mut self, atom: &AtomSyntax) {
        match atom {
            AtomSyntax::Named(name) => self.refer(NameKind::Pattern, name),
            AtomSyntax::Event(event) => {
                let EventSyntax { from, .. } = &event.it;
                from.iter().for_each(|from| self.from(&from.it));
            }
            AtomSyntax::Alarm { name, on, .. } => {
                self.refer(NameKind::Alarm, name);
                on.iter().for_each(|on| self.refer(NameKind::Group, &on.it.of));
            }
            AtomSyntax::Host { names, group, on, .. } => {
                self.refer_all(NameKind::Host, names);
                group.iter().for_each(|group| self.refer(NameKind::Group, group));
                on.iter().for_each(|on| self.refer(NameKind::Group, &on.it.of));
            }
            AtomSyntax::App { names, group, on, .. } => {
                self.refer_all(NameKind::Application, names);
                group.iter().for_each(|group| self.refer(NameKind::Group, group));
                on.iter().for_each(|on| self.refer(NameKind::Group, &on.it.of));
            }
            AtomSyntax::Calendar { name, .. } => self.refer(NameKind::Calendar, name),
            AtomSyntax::Not { state, .. } => self.atom(state),
            AtomSyntax::Group(choice) => self.choice(choice),
            AtomSyntax::Metric { .. } | AtomSyntax::Claim { .. } => {}
        }
    }

    fn from(&mut self, from: &From) {
        match &from.whom {
            SenderSyntax::Any => {}
            SenderSyntax::Apps(names) => self.refer_all(NameKind::Application, names),
            SenderSyntax::Types(names) => self.refer_all(NameKind::Type, names),
            SenderSyntax::Hosts(names) => self.refer_all(NameKind::Host, names),
            SenderSyntax::Groups(names) => self.refer_all(NameKind::Group, names),
            SenderSyntax::Sites(names) => self.refer_all(NameKind::Site, names),
        }
        self.refer_all(NameKind::Host, &from.on);
    }

    fn pattern_clause(&mut self, clause: &PatternClause) {
        match clause {
            PatternClause::From(from) => self.from(from),
            PatternClause::Match { field, regex } => {
                field.iter().for_each(|field| self.refer(NameKind::Field, field));
                self.regex(regex);
            }
            PatternClause::Where(predicate) => self.predicate(predicate),
            PatternClause::Set(field, operand) => {
                self.define(NameKind::Field, field);
                if let OperandSyntax::Bare(name) = operand {
                    self.refer(NameKind::Field, name);
                }
            }
            PatternClause::Detect(detect) => self.detect(detect),
            PatternClause::Sample(sample) => {
                sample.fields.iter().for_each(|binding| self.refer(NameKind::Field, &binding.name));
            }
            PatternClause::Later => {}
        }
    }

    /// Captures and pieces. They are looked for in the text as it is written.
    fn regex(&mut self, regex: &Regex) {
        for piece in &regex.pieces {
            let Some(written) = self.text.get(piece.span.clone()).map(str::to_owned) else { continue };
            for (at, open) in ["(?<", "(?P<"].iter().flat_map(|open| written.match_indices(open)) {
                let from = at + open.len();
                let name: String =
                    written[from..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_.-".contains(*c)).collect();
                if !name.is_empty() && written[from + name.len()..].starts_with(['>', ':']) {
                    let start = piece.span.start + from;
                    self.add(NameKind::Field, &name, &(start..start + name.len()), true);
                }
            }
            for (at, _) in written.match_indices("${") {
                let Some((name, _)) = written[at + 2..].split_once('}') else { break };
                let start = piece.span.start + at + 2;
                if super::is_plain_name(name) {
                    self.add(NameKind::Piece, name, &(start..start + name.len()), false);
                }
            }
        }
    }

    fn predicate(&mut self, predicate: &PredicateSyntax) {
        match predicate {
            PredicateSyntax::And(all) | PredicateSyntax::Or(all) => all.iter().for_each(|one| self.predicate(one)),
            PredicateSyntax::Not(one) => self.predicate(one),
            PredicateSyntax::Test { field, relation } => {
                self.refer(NameKind::Field, field);
                let of = kind_of_field(&field.it);
                match &relation.it {
                    Relation::Compare(_, operand) => self.operand(of, operand),
                    Relation::Regex { regex, .. } => self.regex(regex),
                    Relation::InNamed(name) => self.refer(NameKind::List, name),
                    Relation::InList(elements) => elements.iter().for_each(|element| self.element(of, element)),
                    Relation::Contains(_) | Relation::StartsWith(_) | Relation::EndsWith(_) | Relation::InNetwork(_) => {}
                }
            }
        }
    }

    fn operand(&mut self, of: Option<NameKind>, operand: &OperandSyntax) {
        match (operand, of) {
            (OperandSyntax::Literal(literal), Some(kind)) => {
                if let LiteralKind::Text(text) = &literal.it {
                    self.add(kind, text, &literal.span, false);
                }
            }
            (OperandSyntax::Bare(name), Some(kind)) => self.refer(kind, name),
            (OperandSyntax::Bare(name), None) => self.refer(NameKind::Field, name),
            (OperandSyntax::Literal(_), None) => {}
        }
    }

    fn element(&mut self, of: Option<NameKind>, element: &Element) {
        match (element, of) {
            (Element::Bare(name), Some(kind)) => self.refer(kind, name),
            (Element::Literal(literal), Some(kind)) => {
                if let LiteralKind::Text(text) = &literal.it {
                    self.add(kind, text, &literal.span, false);
                }
            }
            _ => {}
        }
    }

    fn chains(&mut self, chains: &[Chain]) {
        for call in chains.iter().flatten() {
            self.refer(NameKind::Reaction, &call.name);
            for (number, argument) in call.arguments.iter().enumerate() {
                let of = match &argument.name {
                    Some(name) => {
                        self.parameter(&call.name.it, name);
                        ParameterOf::Named(name.it.clone())
                    }
                    None => ParameterOf::Number(number),
                };
                self.argument(&call.name.it, of, &argument.value);
            }
        }
    }

    fn bindings(&mut self, reaction: &str, bindings: &[Binding]) {
        for binding in bindings {
            self.parameter(reaction, &binding.name);
            self.argument(reaction, ParameterOf::Named(binding.name.it.clone()), &binding.value);
        }
    }

    fn parameter(&mut self, reaction: &str, name: &Text) {
        let owner = Some((reaction.to_owned(), ParameterOf::Named(name.it.clone())));
        if let Some(place) = self.add(NameKind::Parameter, &name.it, &name.span, false) {
            place.owner = owner;
        }
    }

    fn argument(&mut self, reaction: &str, of: ParameterOf, value: &ExpressionSyntax) {
        let (kind, text, span) = match &value.it {
            ExpressionKind::Literal(LiteralKind::Text(text)) => (NameKind::Argument, text, &value.span),
            ExpressionKind::Field(text) => (NameKind::Field, text, &value.span),
            ExpressionKind::PairOf(field) | ExpressionKind::HostOf(field) => (NameKind::Field, &field.it, &field.span),
            ExpressionKind::Literal(_) | ExpressionKind::List(_) => return,
        };
        if let Some(place) = self.add(kind, text, span, false) {
            place.owner = (kind == NameKind::Argument).then(|| (reaction.to_owned(), of));
        }
    }
}

/// What the values of a built-in field name.
fn kind_of_field(field: &str) -> Option<NameKind> {
    Some(match field {
        "host" => NameKind::Host,
        "app" => NameKind::Application,
        "type" => NameKind::Type,
        "pair" => NameKind::Pair,
        "site" => NameKind::Site,
        _ => return None,
    })
}
