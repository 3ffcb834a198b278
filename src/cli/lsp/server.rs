//! The state of the server: open documents, sites, and what is published of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::{Duration, Instant};

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::{
    DiagnosticRelatedInformation, DiagnosticSeverity, DidChangeTextDocumentParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, InitializeParams, Location, NumberOrString, PublishDiagnosticsParams, Url,
};
use serde_json::{Value as Json, json};

use super::super::given::Given;
use super::counts::{TimesRaised, count};
use super::frames::{self, MessageFrame};
use super::positions::{TextLines, Units};
use super::sites::{Assembled, SiteKey, assemble, is_configuration, real_name, site_of};
use crate::core::base::limits::RULE_FILE_BYTES;
use crate::core::diag::{Diagnostic, Severity};
use crate::core::editor::{Documents, Language};

/// The pause in typing after which a site is loaded.
const PAUSE: Duration = Duration::from_millis(200);
/// The greatest number of open documents. Further ones are not answered.
const DOCUMENTS: usize = 1_000;
/// The greatest number of diagnostics of one document that are published.
const PUBLISHED: usize = 1_000;

/// What the thread that answers receives.
pub(super) enum Input {
    MessageFrame(MessageFrame),
    /// The stream of messages failed.
    Broken(String),
    Assembled(Box<Assembled>),
    Counted(TimesRaised),
}

/// A document that the editor has open.
pub(super) struct OpenDocument {
    /// Its real path: its name in [`Documents`].
    pub(super) name: String,
    pub(super) text: String,
    language: Language,
    pub(super) site: SiteKey,
}

/// The files that diagnostics refer to, by the names of their sources: where they are, and their lines.
type RelatedFiles<'d> = BTreeMap<&'d str, (Option<Url>, TextLines<'d>)>;

/// A site with what is known of it.
#[derive(Default)]
pub(super) struct SiteState {
    pub(super) documents: Documents,
    diagnostics: Vec<Diagnostic>,
    /// The documents for which diagnostics are published, and which were there at the last load.
    published: BTreeSet<String>,
    /// The number of the last change.
    change: u64,
    /// How often alarms were raised in the chosen log.
    pub(super) counts: Option<BTreeMap<String, u64>>,
}

/// The phases of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Begun,
    Initialized,
    ShutDown,
}

pub(super) struct Server {
    given: Given,
    to: SyncSender<Input>,
    phase: Phase,
    pub(super) units: Units,
    pub(super) open: BTreeMap<Url, OpenDocument>,
    pub(super) sites: BTreeMap<SiteKey, SiteState>,
    /// Sites that changed since they were loaded.
    changed: BTreeSet<SiteKey>,
    /// When the next one is loaded, if none is being loaded.
    due: Option<Instant>,
    loading: bool,
    log: Option<PathBuf>,
    /// The sites whose counts are not there yet.
    counting: usize,
    /// Everything is counted once more when they are.
    counts_again: bool,
    /// Requests that were sent to the editor so far.
    asked: i32,
    refreshes_hints: bool,
}

impl Server {
    pub(super) fn new(given: Given, to: SyncSender<Input>) -> Server {
        Server {
            given,
            to,
            phase: Phase::Begun,
            units: Units::default(),
            open: BTreeMap::new(),
            sites: BTreeMap::new(),
            changed: BTreeSet::new(),
            due: None,
            loading: false,
            log: None,
            counting: 0,
            counts_again: false,
            asked: 0,
            refreshes_hints: false,
        }
    }

    /// When [`Server::assemble`] wants to be called.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| !self.loading)
    }

    pub(super) fn send(&self, message: Message) -> io::Result<()> {
        frames::write(&mut io::stdout().lock(), message)
    }

    /// Takes one message. Returns the exit status when the editor ends the session.
    pub(super) fn message(&mut self, message: Message) -> io::Result<Option<u8>> {
        match message {
            Message::Request(request) => {
                let id = request.id.clone();
                match self.request(request) {
                    Ok(result) => frames::write_answer(&mut io::stdout().lock(), &id, &result)?,
                    Err((code, why)) => self.send(Message::Response(Response::new_err(id, code as i32, why)))?,
                }
            }
            Message::Notification(notification) if notification.method == "exit" => {
                return Ok(Some(u8::from(self.phase != Phase::ShutDown)));
            }
            Message::Notification(notification) if self.phase == Phase::Initialized => self.notification(notification)?,
            // Notifications before the initialization and after the shutdown, and responses, for which nothing waits.
            Message::Notification(_) | Message::Response(_) => {}
        }
        Ok(None)
    }

    /// The result of a request as JSON text.
    fn request(&mut self, request: Request) -> Result<String, (ErrorCode, String)> {
        match (self.phase, request.method.as_str()) {
            (Phase::Begun, "initialize") => {
                let params: InitializeParams =
                    serde_json::from_value(request.params).map_err(|e| (ErrorCode::InvalidParams, e.to_string()))?;
                Ok(self.initialize(&params).to_string())
            }
            (Phase::Begun, _) => Err((ErrorCode::ServerNotInitialized, "`initialize` comes first".to_owned())),
            (Phase::ShutDown, _) => Err((ErrorCode::InvalidRequest, "the server was shut down".to_owned())),
            (Phase::Initialized, "initialize") => Err((ErrorCode::InvalidRequest, "it is initialized already".to_owned())),
            (Phase::Initialized, "shutdown") => {
                self.phase = Phase::ShutDown;
                Ok("null".to_owned())
            }
            (Phase::Initialized, "workspace/executeCommand") => self.command(&request.params).map(|done| done.to_string()),
            (Phase::Initialized, _) => self.answer(&request.method, request.params),
        }
    }

    fn initialize(&mut self, params: &InitializeParams) -> Json {
        let general = params.capabilities.general.as_ref();
        self.units = Units::chosen(general.and_then(|general| general.position_encodings.as_ref()));
        let workspace = params.capabilities.workspace.as_ref();
        self.refreshes_hints =
            workspace.and_then(|w| w.inlay_hint.as_ref()).and_then(|hints| hints.refresh_support).unwrap_or(false);
        let options = params.initialization_options.as_ref();
        let option = |name: &str| options.and_then(|options| options[name].as_str()).map(PathBuf::from);
        self.log = option("log");
        if self.given.config.is_none() && self.given.rules.is_empty() {
            self.given.config = option("config");
        }
        self.phase = Phase::Initialized;
        capabilities(self.units)
    }

    fn notification(&mut self, notification: Notification) -> io::Result<()> {
        let Notification { method, params } = notification;
        match method.as_str() {
            "textDocument/didOpen" => {
                if let Ok(params) = serde_json::from_value::<DidOpenTextDocumentParams>(params) {
                    let document = params.text_document;
                    self.opened(document.uri, document.text);
                }
            }
            "textDocument/didChange" => {
                if let Ok(params) = serde_json::from_value::<DidChangeTextDocumentParams>(params) {
                    self.changed(params);
                }
            }
            "textDocument/didClose" => {
                if let Ok(params) = serde_json::from_value::<DidCloseTextDocumentParams>(params)
                    && let Some(closed) = self.open.remove(&params.text_document.uri)
                {
                    self.touch(&closed.site);
                }
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                let sites: Vec<SiteKey> = self.sites.keys().cloned().collect();
                sites.iter().for_each(|site| self.touch(site));
                self.count();
            }
            _ => {}
        }
        Ok(())
    }

    fn opened(&mut self, uri: Url, text: String) {
        let Ok(path) = uri.to_file_path() else { return };
        let name = real_name(&path);
        let Some(language) = Language::of(&name) else { return };
        // Other programs have YAML files as well.
        let foreign = language == Language::Configuration
            && path.file_name() != Some("pointsman.yaml".as_ref())
            && !is_configuration(&text);
        if foreign || text.len() > RULE_FILE_BYTES || self.open.len() >= DOCUMENTS {
            return;
        }
        let site = self.site_of(Path::new(&name), language);
        self.sites.entry(site.clone()).or_default().documents.set(&name, language, &text);
        self.open.insert(uri, OpenDocument { name, text, language, site: site.clone() });
        self.touch(&site);
        if self.sites.get(&site).is_some_and(|site| site.counts.is_none()) {
            self.count();
        }
    }

    fn site_of(&self, path: &Path, language: Language) -> SiteKey {
        let Given { config, rules, scripts } = self.given.clone();
        if config.is_none() && rules.is_empty() { site_of(path, language) } else { SiteKey { config, rules, scripts } }
    }

    fn changed(&mut self, params: DidChangeTextDocumentParams) {
        let Some(document) = self.open.get_mut(&params.text_document.uri) else { return };
        for change in params.content_changes {
            match change.range {
                Some(range) => {
                    let bytes = TextLines::new(&document.text, self.units).bytes(range);
                    document.text.replace_range(bytes, &change.text);
                }
                None => document.text = change.text,
            }
        }
        if document.text.len() > RULE_FILE_BYTES {
            document.text.clear();
        }
        let site = document.site.clone();
        if let Some(state) = self.sites.get_mut(&site) {
            state.documents.set(&document.name, document.language, &document.text);
        }
        self.touch(&site);
    }

    /// A site has changed: it is loaded again after a pause.
    fn touch(&mut self, site: &SiteKey) {
        self.sites.entry(site.clone()).or_default().change += 1;
        self.changed.insert(site.clone());
        self.due = Some(Instant::now() + PAUSE);
    }

    /// Loads one of the changed sites, beside this thread.
    pub(super) fn assemble(&mut self) {
        self.due = None;
        let Some(key) = self.changed.pop_first() else { return };
        if !self.open.values().any(|document| document.site == key) {
            // Nobody looks at it any more. What was published of it goes.
            if let Some(state) = self.sites.remove(&key) {
                state.published.iter().for_each(|name| drop(self.publish(name, Vec::new())));
            }
            self.due = (!self.changed.is_empty()).then(Instant::now);
            return;
        }
        let state = self.sites.entry(key.clone()).or_default();
        let (change, before) = (state.change, state.documents.clone());
        let open = self.open.values().map(|document| (PathBuf::from(&document.name), document.text.clone())).collect();
        let to = self.to.clone();
        self.loading = true;
        thread::spawn(move || {
            // When nobody receives it, the server has ended.
            let _ = to.send(Input::Assembled(Box::new(assemble(key, change, open, before))));
        });
    }

    /// Takes a loaded site. An older one than what was typed meanwhile has outdated diagnostics.
    pub(super) fn assembled(&mut self, assembled: Assembled) -> io::Result<()> {
        self.loading = false;
        let Assembled { key, change, documents, diagnostics } = assembled;
        let by_document = by_document(&diagnostics, &key, self.open.values().find(|document| document.site == key));
        let mut shown: BTreeMap<String, Vec<lsp_types::Diagnostic>> =
            by_document.iter().map(|(name, found)| (name.clone(), self.shown(found))).collect();
        let Some(state) = self.sites.get_mut(&key) else { return Ok(()) };
        state.documents = documents;
        for document in self.open.values().filter(|document| document.site == key) {
            state.documents.set(&document.name, document.language, &document.text);
        }
        if !self.changed.is_empty() {
            self.due = Some(self.due.unwrap_or_else(Instant::now));
        }
        if state.change != change {
            return Ok(());
        }
        let published = shown.keys().cloned().collect();
        let mut all = std::mem::replace(&mut state.published, published);
        state.diagnostics = diagnostics;
        all.extend(shown.keys().cloned());
        all.extend(self.open.values().filter(|document| document.site == key).map(|document| document.name.clone()));
        for name in all {
            self.publish(&name, shown.remove(&name).unwrap_or_default())?;
        }
        Ok(())
    }

    fn publish(&self, name: &str, diagnostics: Vec<lsp_types::Diagnostic>) -> io::Result<()> {
        let open = self.open.iter().find(|(_, document)| document.name == name).map(|(uri, _)| uri.clone());
        let Some(uri) = open.or_else(|| Url::from_file_path(name).ok()) else { return Ok(()) };
        let params = PublishDiagnosticsParams { uri, diagnostics, version: None };
        self.send(Message::Notification(Notification::new("textDocument/publishDiagnostics".to_owned(), params)))
    }

    /// Diagnostics as the editor shows them.
    fn shown(&self, found: &[&Diagnostic]) -> Vec<lsp_types::Diagnostic> {
        let text = found.iter().find_map(|d| d.place.as_ref()).map_or("", |place| &place.source.text);
        let lines = TextLines::new(text, self.units);
        let mut related = RelatedFiles::new();
        found.iter().take(PUBLISHED).map(|d| self.one(d, &lines, &mut related)).collect()
    }

    fn one<'d>(&self, d: &'d Diagnostic, lines: &TextLines<'_>, files: &mut RelatedFiles<'d>) -> lsp_types::Diagnostic {
        let related = d.context.iter().take(4).filter_map(|(place, label)| {
            let (uri, lines) = files.entry(&place.source.name).or_insert_with(|| {
                let uri = Url::from_file_path(real_name(Path::new(&place.source.name))).ok();
                (uri, TextLines::new(&place.source.text, self.units))
            });
            let location = Location { uri: uri.clone()?, range: lines.range(&place.bytes) };
            Some(DiagnosticRelatedInformation { location, message: label.clone() })
        });
        let related: Vec<_> = related.collect();
        lsp_types::Diagnostic {
            range: d.place.as_ref().map(|place| lines.range(&place.bytes)).unwrap_or_default(),
            severity: Some(match d.code.severity() {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
            }),
            code: Some(NumberOrString::String(d.code.text().to_owned())),
            source: Some("pointsman".to_owned()),
            message: d.help.as_ref().map_or_else(|| d.message.clone(), |help| format!("{}\n{help}", d.message)),
            related_information: (!related.is_empty()).then_some(related),
            ..lsp_types::Diagnostic::default()
        }
    }

    /// The diagnostics of a document, as they were found last.
    pub(super) fn diagnostics<'s>(&'s self, document: &'s OpenDocument) -> impl Iterator<Item = &'s Diagnostic> {
        let all = self.sites.get(&document.site).into_iter().flat_map(|site| &site.diagnostics);
        // All diagnostics of a file have the same text of it.
        let mut is_of_document: BTreeMap<&str, bool> = BTreeMap::new();
        all.filter(move |d| {
            d.place.as_ref().is_some_and(|p| {
                *is_of_document
                    .entry(&p.source.name)
                    .or_insert_with(|| p.source.text == document.text && real_name(Path::new(&p.source.name)) == document.name)
            })
        })
    }

    /// A command: `pointsman.chooseLog` with the path of a log, or with nothing to stop counting.
    fn command(&mut self, params: &Json) -> Result<Json, (ErrorCode, String)> {
        if params["command"] != "pointsman.chooseLog" {
            return Err((ErrorCode::InvalidParams, "there is no such command".to_owned()));
        }
        self.log = params["arguments"][0].as_str().map(PathBuf::from);
        self.sites.values_mut().for_each(|site| site.counts = None);
        self.count();
        Ok(Json::Null)
    }

    /// Counts how often the alarms of the open sites were raised in the chosen log. One dry run at a time.
    fn count(&mut self) {
        // What was saved or chosen meanwhile is counted afterwards.
        if self.counting > 0 {
            self.counts_again = true;
            return;
        }
        let Some(log) = self.log.clone() else { return };
        let sites: BTreeSet<SiteKey> = self.open.values().map(|document| document.site.clone()).collect();
        self.counting = sites.len();
        let to = self.to.clone();
        thread::spawn(move || {
            for site in sites {
                let _ = to.send(Input::Counted(count(site, &log)));
            }
        });
    }

    pub(super) fn counted(&mut self, counted: TimesRaised) -> io::Result<()> {
        self.counting = self.counting.saturating_sub(1);
        if self.counting == 0 && std::mem::take(&mut self.counts_again) {
            self.count();
        }
        match counted.counts {
            Ok(counts) => {
                if let Some(site) = self.sites.get_mut(&counted.key) {
                    site.counts = Some(counts);
                }
            }
            Err(message) => {
                let params = serde_json::json!({ "type": 2, "message": format!("the log is not counted: {message}") });
                self.send(Message::Notification(Notification { method: "window/showMessage".to_owned(), params }))?;
            }
        }
        if self.refreshes_hints {
            self.asked += 1;
            let id: RequestId = self.asked.into();
            self.send(Message::Request(Request::new(id, "workspace/inlayHint/refresh".to_owned(), ())))?;
        }
        Ok(())
    }
}

/// What the server can do.
fn capabilities(units: Units) -> Json {
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

/// Diagnostics by the real path of their file. One about no place is shown in the configuration, or in the open rules.
fn by_document<'d>(all: &'d [Diagnostic], key: &SiteKey, open: Option<&OpenDocument>) -> BTreeMap<String, Vec<&'d Diagnostic>> {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    let mut found: BTreeMap<String, Vec<&Diagnostic>> = BTreeMap::new();
    let rules = open.filter(|document| document.language == Language::Rules);
    let whole = key.config.as_ref().map(|config| real_name(config)).or(rules.map(|document| document.name.clone()));
    for d in all {
        let name = match &d.place {
            Some(place) => {
                Some(names.entry(&place.source.name).or_insert_with(|| real_name(Path::new(&place.source.name))).clone())
            }
            None => whole.clone(),
        };
        if let Some(name) = name {
            found.entry(name).or_default().push(d);
        }
    }
    found
}
