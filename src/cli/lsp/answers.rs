//! Answers to requests: from the protocol to the questions of [`crate::core::editor`], and back.

use std::collections::{BTreeMap, HashMap};

use lsp_server::ErrorCode;
use lsp_types::{
    CodeActionOrCommand, CodeActionParams, CompletionItem, CompletionItemKind, CompletionParams, CompletionTextEdit,
    DocumentFormattingParams, DocumentSymbol, DocumentSymbolParams, Documentation, GotoDefinitionParams, HoverContents,
    HoverParams, InlayHint, InlayHintLabel, InlayHintParams, Location, MarkupContent, MarkupKind, ReferenceParams, RenameParams,
    SymbolKind, TextDocumentPositionParams, TextEdit, Url, WorkspaceEdit,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::positions::{TextLines, Units};
use super::server::{OpenDocument, Server, SiteState};
use crate::core::editor::{Completion, CompletionKind, DocumentPlace, code_action};
use crate::core::lang::names::NameKind;

/// The result of a request as JSON text: thousands of places are not built twice.
type Answer = Result<String, (ErrorCode, String)>;

/// The answer where nothing is found.
const NOTHING: &str = "null";

/// What the server can do.
pub(super) fn capabilities(units: Units) -> Json {
    json!({
        "capabilities": {
            "positionEncoding": units.kind(),
            "textDocumentSync": { "openClose": true, "change": 2, "save": true },
            "completionProvider": { "triggerCharacters": ["\"", ".", "{", "(", "/"] },
            "hoverProvider": true,
            "definitionProvider": true,
            "referencesProvider": true,
            "renameProvider": { "prepareProvider": true },
            "documentSymbolProvider": true,
            "documentFormattingProvider": true,
            "codeActionProvider": { "codeActionKinds": ["quickfix"] },
            "inlayHintProvider": true,
            "executeCommandProvider": { "commands": ["pointsman.chooseLog"] },
        },
        "serverInfo": { "name": "pointsman", "version": env!("CARGO_PKG_VERSION") },
    })
}

fn params<P: DeserializeOwned>(params: Json) -> Result<P, (ErrorCode, String)> {
    serde_json::from_value(params).map_err(|e| (ErrorCode::InvalidParams, e.to_string()))
}

fn as_json(answer: impl Serialize) -> Answer {
    serde_json::to_string(&answer).map_err(|e| (ErrorCode::InternalError, e.to_string()))
}

/// A document at which a request looks, with its site.
struct Looked<'s> {
    document: &'s OpenDocument,
    site: &'s SiteState,
    lines: TextLines<'s>,
    units: Units,
}

impl Server {
    /// Answers one request.
    pub(super) fn answer(&self, method: &str, of: Json) -> Answer {
        match method {
            "textDocument/completion" => {
                let CompletionParams { text_document_position: at, .. } = params(of)?;
                let Some(looked) = self.looked(&at.text_document.uri) else { return Ok(NOTHING.to_owned()) };
                let found = looked.site.documents.completions(&looked.document.name, looked.lines.byte(at.position));
                as_json(found.into_iter().map(|completion| looked.completion(completion)).collect::<Vec<_>>())
            }
            "textDocument/hover" => {
                let HoverParams { text_document_position_params: at, .. } = params(of)?;
                let Some(looked) = self.looked(&at.text_document.uri) else { return Ok(NOTHING.to_owned()) };
                let hover = looked.site.documents.hover(&looked.document.name, looked.lines.byte(at.position));
                as_json(hover.map(|hover| lsp_types::Hover {
                    contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: hover.text }),
                    range: Some(looked.lines.range(&hover.bytes)),
                }))
            }
            "textDocument/definition" => {
                let GotoDefinitionParams { text_document_position_params: at, .. } = params(of)?;
                let Some(looked) = self.looked(&at.text_document.uri) else { return Ok(NOTHING.to_owned()) };
                let found = looked.site.documents.definitions(&looked.document.name, looked.lines.byte(at.position));
                as_json(looked.locations(&found))
            }
            "textDocument/references" => {
                let ReferenceParams { text_document_position: at, context, .. } = params(of)?;
                let Some(looked) = self.looked(&at.text_document.uri) else { return Ok(NOTHING.to_owned()) };
                let byte = looked.lines.byte(at.position);
                let found = looked.site.documents.references(&looked.document.name, byte, context.include_declaration);
                as_json(looked.locations(&found))
            }
            "textDocument/prepareRename" => {
                let at: TextDocumentPositionParams = params(of)?;
                let Some(looked) = self.looked(&at.text_document.uri) else { return Ok(NOTHING.to_owned()) };
                let place = looked.site.documents.renamable(&looked.document.name, looked.lines.byte(at.position));
                as_json(looked.lines.range(&place.map_err(refused)?.bytes))
            }
            "textDocument/rename" => {
                let RenameParams { text_document_position: at, new_name, .. } = params(of)?;
                let Some(looked) = self.looked(&at.text_document.uri) else { return Ok(NOTHING.to_owned()) };
                let byte = looked.lines.byte(at.position);
                let edits = looked.site.documents.rename(&looked.document.name, byte, &new_name).map_err(refused)?;
                as_json(looked.edit(edits))
            }
            "textDocument/documentSymbol" => {
                let DocumentSymbolParams { text_document, .. } = params(of)?;
                let Some(looked) = self.looked(&text_document.uri) else { return Ok(NOTHING.to_owned()) };
                as_json(looked.symbols())
            }
            "textDocument/formatting" => {
                let DocumentFormattingParams { text_document, .. } = params(of)?;
                let Some(looked) = self.looked(&text_document.uri) else { return Ok(NOTHING.to_owned()) };
                let text = looked.site.documents.formatted(&looked.document.name).map_err(refused)?;
                let whole = looked.lines.range(&(0..looked.document.text.len()));
                as_json(text.map(|text| vec![TextEdit { range: whole, new_text: text }]).unwrap_or_default())
            }
            "textDocument/codeAction" => {
                let CodeActionParams { text_document, range, .. } = params(of)?;
                let Some(looked) = self.looked(&text_document.uri) else { return Ok(NOTHING.to_owned()) };
                let wanted = looked.lines.bytes(range);
                let found = self.diagnostics(looked.document).filter_map(code_action);
                let found = found.filter(|action| action.bytes.start <= wanted.end && wanted.start <= action.bytes.end);
                let actions = found.map(|action| {
                    let edit = TextEdit { range: looked.lines.range(&action.bytes), new_text: action.new_text };
                    CodeActionOrCommand::CodeAction(lsp_types::CodeAction {
                        title: action.title,
                        kind: Some(lsp_types::CodeActionKind::QUICKFIX),
                        is_preferred: Some(true),
                        edit: Some(WorkspaceEdit::new(HashMap::from([(text_document.uri.clone(), vec![edit])]))),
                        ..lsp_types::CodeAction::default()
                    })
                });
                as_json(actions.collect::<Vec<_>>())
            }
            "textDocument/inlayHint" => {
                let InlayHintParams { text_document, range, .. } = params(of)?;
                let Some(looked) = self.looked(&text_document.uri) else { return Ok(NOTHING.to_owned()) };
                let Some(counts) = &looked.site.counts else { return Ok("[]".to_owned()) };
                let wanted = looked.lines.bytes(range);
                let all = looked.site.documents.hints(&looked.document.name, counts).into_iter();
                let hints = all.filter(|(at, _)| wanted.contains(at) || *at == wanted.end).map(|(at, text)| InlayHint {
                    position: looked.lines.position(at),
                    label: InlayHintLabel::String(text),
                    kind: None,
                    text_edits: None,
                    tooltip: None,
                    padding_left: Some(true),
                    padding_right: None,
                    data: None,
                });
                as_json(hints.collect::<Vec<_>>())
            }
            _ => Err((ErrorCode::MethodNotFound, format!("there is no method {method}"))),
        }
    }

    fn looked(&self, uri: &Url) -> Option<Looked<'_>> {
        let document = self.open.get(uri)?;
        let site = self.sites.get(&document.site)?;
        Some(Looked { document, site, lines: TextLines::new(&document.text, self.units), units: self.units })
    }
}

fn refused(why: String) -> (ErrorCode, String) {
    (ErrorCode::RequestFailed, why)
}

impl Looked<'_> {
    fn completion(&self, completion: Completion) -> CompletionItem {
        let Completion { label, kind, detail, docs, replaces, insert } = completion;
        let documentation =
            (!docs.is_empty()).then_some(Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value: docs }));
        CompletionItem {
            kind: Some(match kind {
                CompletionKind::Keyword => CompletionItemKind::KEYWORD,
                CompletionKind::Name => CompletionItemKind::REFERENCE,
                CompletionKind::Field => CompletionItemKind::FIELD,
                CompletionKind::Value => CompletionItemKind::VALUE,
                CompletionKind::Parameter => CompletionItemKind::PROPERTY,
                CompletionKind::Function => CompletionItemKind::FUNCTION,
                CompletionKind::File => CompletionItemKind::FILE,
            }),
            detail: (!detail.is_empty()).then_some(detail),
            documentation,
            filter_text: insert.starts_with('"').then(|| insert.clone()),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range: self.lines.range(&replaces), new_text: insert })),
            label,
            ..CompletionItem::default()
        }
    }

    /// Places as the editor knows them. Each document's lines are counted once.
    fn locations(&self, places: &[DocumentPlace]) -> Vec<Location> {
        let read = |document: &str| {
            let source = self.site.documents.text(document)?;
            Some((Url::from_file_path(document).ok()?, TextLines::new(&source.text, self.units)))
        };
        let mut documents = BTreeMap::new();
        let mut found = Vec::new();
        for place in places {
            let known = documents.entry(&*place.document).or_insert_with(|| read(&place.document));
            let Some((uri, lines)) = known else { continue };
            found.push(Location { uri: uri.clone(), range: lines.range(&place.bytes) });
        }
        found
    }

    fn edit(&self, edits: Vec<(DocumentPlace, String)>) -> WorkspaceEdit {
        let (places, texts): (Vec<DocumentPlace>, Vec<String>) = edits.into_iter().unzip();
        let mut changes: HashMap<Url, Vec<TextEdit>> = HashMap::new();
        for (Location { uri, range }, new_text) in self.locations(&places).into_iter().zip(texts) {
            changes.entry(uri).or_default().push(TextEdit { range, new_text });
        }
        WorkspaceEdit::new(changes)
    }

    fn symbols(&self) -> Vec<DocumentSymbol> {
        let items = self.site.documents.outline(&self.document.name).iter();
        let symbol = items.map(|item| {
            #[expect(deprecated, reason = "the type has a field that is to be left empty")]
            DocumentSymbol {
                name: item.name.clone(),
                detail: item.about.iter().find(|(title, _)| *title == "summary").map(|(_, text)| text.clone()),
                kind: symbol_kind(item.kind),
                tags: None,
                deprecated: None,
                range: self.lines.range(&item.span),
                selection_range: self.lines.range(&item.name_span),
                children: None,
            }
        });
        symbol.filter(|symbol| !symbol.name.is_empty()).collect()
    }
}

fn symbol_kind(kind: NameKind) -> SymbolKind {
    match kind {
        NameKind::Alarm => SymbolKind::EVENT,
        NameKind::Pattern | NameKind::Piece => SymbolKind::STRING,
        NameKind::List | NameKind::Group => SymbolKind::ARRAY,
        NameKind::Reaction | NameKind::Script => SymbolKind::FUNCTION,
        NameKind::Calendar => SymbolKind::CONSTANT,
        NameKind::Parameter | NameKind::Argument | NameKind::Field => SymbolKind::FIELD,
        NameKind::Host | NameKind::Site => SymbolKind::NAMESPACE,
        NameKind::Application | NameKind::Type => SymbolKind::CLASS,
        NameKind::Pair | NameKind::Resource | NameKind::Channel => SymbolKind::OBJECT,
    }
}
