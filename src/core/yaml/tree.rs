//! YAML as a tree in which every key and value has its place.
//!
//! Loaders that fill structs stop at the first mistake and lose the places of the rest. Here the events of a YAML parser become a
//! tree first. Readers walk it and report everything, each mistake at its own line and column. Anchors, aliases, tags and further
//! documents are refused: nothing that is read here needs them, and attacks by expansion do.

use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use crate::core::base::limits::{SOURCE_BYTES, YAML_NESTING};
use crate::core::diag::{Code, Diagnostic, Place, Source};

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct YamlNode {
    pub(crate) place: Place,
    pub(crate) kind: YamlKind,
}

#[derive(Clone, Debug)]
pub(crate) enum YamlKind {
    /// A scalar as text; `plain` if it is written without quotes.
    Text {
        text: String,
        plain: bool,
    },
    List(Vec<YamlNode>),
    Map(Vec<(YamlKey, YamlNode)>),
}

/// A key with its place.
#[derive(Clone, Debug)]
pub(crate) struct YamlKey {
    pub(crate) text: String,
    pub(crate) place: Place,
}

impl YamlNode {
    /// True for what YAML calls null: an empty value, `~`, `null`.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(&self.kind, YamlKind::Text { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// What it is, for messages.
    pub(crate) fn what(&self) -> &'static str {
        match self.kind {
            _ if self.is_nothing() => "nothing",
            YamlKind::Text { .. } => "a text",
            YamlKind::List(_) => "a list",
            YamlKind::Map(_) => "a map",
        }
    }
}

/// Parses a text. `None` if there is no usable tree; mistakes are in `found`.
pub(crate) fn parse(source: &Arc<Source>, found: &mut Vec<Diagnostic>) -> Option<YamlNode> {
    if source.text.len() > SOURCE_BYTES {
        let message = format!("{} has more than {SOURCE_BYTES} bytes, which is the limit", source.name);
        found.push(Diagnostic::whole(Code::ConfigTooLarge, message));
        return None;
    }
    // The parser counts characters, not bytes.
    let offsets: Vec<usize> = source.text.char_indices().map(|(i, _)| i).chain([source.text.len()]).collect();
    let builder = Builder { source, offsets, found, parser: Parser::new_from_str(&source.text) };
    builder.document()
}

/// True if the nesting is too deep for the parser, which has a bound of its own and looks far ahead for a key.
fn is_too_deep(e: &ScanError) -> bool {
    e.info().contains("recursion limit")
}

struct Builder<'s> {
    source: &'s Arc<Source>,
    offsets: Vec<usize>,
    found: &'s mut Vec<Diagnostic>,
    parser: Parser<'s, saphyr_parser::StrInput<'s>>,
}

/// A mistake after which there is no tree. It was reported.
struct Stop;

impl<'s> Builder<'s> {
    fn place(&self, span: Span) -> Place {
        let byte = |index: usize| self.offsets.get(index).or(self.offsets.last()).copied().unwrap_or(0);
        Place {
            source: self.source.clone(),
            bytes: byte(span.start.index())..byte(span.end.index()).max(byte(span.start.index())),
        }
    }

    fn stop(&mut self, code: Code, span: Span, message: String, help: &str) -> Stop {
        let mut place = self.place(span);
        place.bytes.end = place.bytes.end.min(place.bytes.start + 1).max(place.bytes.start);
        self.found.push(Diagnostic::new(code, place, message).help(help));
        Stop
    }

    fn next(&mut self) -> Result<Option<(Event<'s>, Span)>, Stop> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok(event)) => Ok(Some(event)),
            Some(Err(e)) => {
                let span = Span::empty(*e.marker());
                if is_too_deep(&e) {
                    return Err(self.too_deep(span));
                }
                let help = match e.info().contains("expect ':'") {
                    true => "a key ends with `:`; the one that has none stands on this line or on one before it",
                    false => "indent YAML with blanks, not tabs, and write a text with `: ` or ` #` in quotes",
                };
                Err(self.stop(Code::ConfigSyntax, span, format!("the YAML is not understood: {}", e.info()), help))
            }
        }
    }

    fn too_deep(&mut self, span: Span) -> Stop {
        let message = format!("this is nested more than {YAML_NESTING} levels deep");
        self.stop(Code::TooNested, span, message, "no configuration and no test needs so many")
    }

    fn document(mut self) -> Option<YamlNode> {
        let mut root = None;
        loop {
            match self.next() {
                Ok(Some((Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _))) => {}
                Ok(Some((Event::StreamEnd, _)) | None) => return root,
                Ok(Some((_, span))) if root.is_some() => {
                    self.stop(
                        Code::YamlNotTaken,
                        span,
                        "a file can have only one YAML document".to_owned(),
                        "remove the line `---` and everything after it",
                    );
                    return root;
                }
                Ok(Some(event)) => match self.node(event, 0) {
                    Ok(node) => root = Some(node),
                    Err(Stop) => return None,
                },
                Err(Stop) => return None,
            }
        }
    }

    fn want(&mut self) -> Result<(Event<'s>, Span), Stop> {
        match self.next()? {
            Some(event) => Ok(event),
            None => Err(Stop),
        }
    }

    fn node(&mut self, (event, span): (Event<'s>, Span), depth: usize) -> Result<YamlNode, Stop> {
        if depth > YAML_NESTING {
            return Err(self.too_deep(span));
        }
        let anchored = match &event {
            Event::Scalar(_, _, anchor, tag) => *anchor > 0 || tag.is_some(),
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => *anchor > 0 || tag.is_some(),
            Event::Alias(_) => true,
            _ => false,
        };
        if anchored {
            let help = "write the value itself; write a text that begins with & * or ! in quotes";
            return Err(self.stop(Code::YamlNotTaken, span, "anchors, aliases and tags are not supported".to_owned(), help));
        }
        let place = self.place(span);
        let kind = match event {
            Event::Scalar(text, style, ..) => YamlKind::Text { text: text.into_owned(), plain: style == ScalarStyle::Plain },
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    let event = self.want()?;
                    if event.0 == Event::SequenceEnd {
                        break YamlKind::List(items);
                    }
                    items.push(self.node(event, depth + 1)?);
                }
            }
            Event::MappingStart(..) => {
                let mut entries: Vec<(YamlKey, YamlNode)> = Vec::new();
                let mut firsts: BTreeMap<String, Place> = BTreeMap::new();
                loop {
                    let event = self.want()?;
                    if event.0 == Event::MappingEnd {
                        break YamlKind::Map(entries);
                    }
                    let key = self.key(event)?;
                    let value = self.want()?;
                    let value = self.node(value, depth + 1)?;
                    if let Some(first) = firsts.get(&key.text) {
                        let message = format!("the key `{}` is given twice", key.text);
                        self.found
                            .push(Diagnostic::new(Code::DuplicateKey, key.place, message).context(first.clone(), "first here"));
                    } else {
                        firsts.insert(key.text.clone(), key.place.clone());
                        entries.push((key, value));
                    }
                }
            }
            _ => return Err(Stop),
        };
        Ok(YamlNode { place, kind })
    }

    fn key(&mut self, event: (Event<'s>, Span)) -> Result<YamlKey, Stop> {
        match event {
            (Event::Scalar(text, _, 0, None), span) => Ok(YamlKey { text: text.into_owned(), place: self.place(span) }),
            (_, span) => Err(self.stop(Code::ConfigSyntax, span, "a key must be a text".to_owned(), "write key: value")),
        }
    }
}
