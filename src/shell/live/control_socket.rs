//! The connection between operators and the controller: a Unix socket in the data folder, with one question and one answer per
//! line (JSON).
//!
//! The kernel says who asks (`SO_PEERCRED`). Root and the controller's own user may do everything. Other users can open the
//! socket only if the configuration has `access:`, and may do what it allows. The controller's thread checks this for each
//! question. How many may ask at once: `asker_limits`.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tokio::sync::oneshot;

use crate::shell::linux::give_way;
use crate::shell::store::{JournalReader, PageBounds, history_page};

use super::asker::{Asked, Asker, UserLookups, who};
use super::asker_limits::AskerLimits;
use super::inbox::Inbox;
use super::questions::{Answer, Question};

/// The maximum size of one question and of one answer, in bytes.
const QUESTION: u64 = 64 * 1024;
const ANSWER: u64 = 256 * 1024 * 1024;
/// How long a question may take to arrive, and an answer to be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// The path of the socket in a data folder.
pub fn path(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Opens the socket. The lock of the journal ensures that only one controller uses a data folder.
///
/// # Errors
/// Returns an error text if the folder cannot be written.
pub fn open(data: &Path) -> Result<UnixListener, String> {
    let path = path(data);
    let words = |e: io::Error| format!("{}: {e}", path.display());
    match fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(words(e)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(words)?;
    admit(data, false)?;
    Ok(listener)
}

/// Allows or forbids users other than the owner to open the socket. If it is allowed, they can pass through its folder but not
/// read it.
///
/// # Errors
/// Returns an error text if the modes cannot be changed.
pub fn admit(data: &Path, others: bool) -> Result<(), String> {
    let set = |path: &Path, change: &dyn Fn(u32) -> u32| {
        let words = |e: io::Error| format!("{}: {e}", path.display());
        let mode = fs::metadata(path).map_err(words)?.permissions().mode();
        fs::set_permissions(path, fs::Permissions::from_mode(change(mode))).map_err(words)
    };
    if others {
        set(data, &|mode| mode | 0o011)?;
    }
    set(&path(data), &|_| if others { 0o666 } else { 0o600 })
}

/// Answers questions until this future is dropped. Pages of the history are read from the journal in the data folder.
pub async fn serve(listener: UnixListener, inbox: Inbox, data: PathBuf) {
    let (limits, lookups) = (AskerLimits::new(), UserLookups::new());
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        let peer = stream.peer_cred().ok();
        let Some(slot) = limits.admit(who(peer.as_ref())) else {
            let refused: Answer =
                Err("too many questions of this user are waiting for an answer: ask again in a moment".to_owned());
            // A user who does not read this is not waited for.
            let _ = stream.try_write(&line(&refused));
            continue;
        };
        let (inbox, lookups, data) = (inbox.clone(), lookups.clone(), data.clone());
        tokio::spawn(async move {
            let (from, mut to) = stream.into_split();
            let mut question = String::new();
            let mut from = tokio::io::BufReader::new(from).take(QUESTION);
            if let Ok(Ok(length)) = tokio::time::timeout(PATIENCE, from.read_line(&mut question)).await
                && length > 0
            {
                let asker = lookups.asker(peer).await;
                let _place = slot.place().await;
                let answer = match (read(&question), asker) {
                    (Ok(asked), Ok(asker)) => answer(&inbox, data, asked.question, asker.by_way_of(asked.sudo)).await,
                    (Err(why), _) | (Ok(_), Err(why)) => Err(why),
                };
                let _ = tokio::time::timeout(PATIENCE, to.write_all(&line(&answer))).await;
            }
        });
    }
}

/// Reads a question, of which no more than the limit has arrived.
fn read(line: &str) -> Result<Asked, String> {
    if !line.ends_with('\n') && line.len() as u64 >= QUESTION {
        return Err(format!("the question has more than {} KiB, which is the limit: shorten its texts", QUESTION >> 10));
    }
    serde_json::from_str(line).map_err(|e| format!("this controller does not know the question ({e}); is it of another version?"))
}

/// Answers a question. The controller's thread checks the access and answers, except that it does not read the history.
async fn answer(inbox: &Inbox, data: PathBuf, question: Question, asker: Asker) -> Answer {
    let Question::HistoryPage(filter) = question.clone() else { return inbox.ask(question, asker).await };
    inbox.ask(question, asker).await?;
    let read = move || {
        give_way();
        let reader = JournalReader::open(&data).map_err(|e| e.to_string())?;
        let page = history_page(&reader, &filter, &PageBounds::OF_CONTROLLER).map_err(|e| e.to_string())?;
        serde_json::to_value(page).map_err(|e| e.to_string())
    };
    // The priority of a thread can't be raised again, so this one is only for the page.
    let (sender, page) = oneshot::channel();
    let begun = thread::Builder::new().name("history".to_owned()).spawn(move || drop(sender.send(read())));
    begun.map_err(|e| format!("the history can't be read now: no thread can be started ({e})"))?;
    page.await.unwrap_or_else(|_| Err("the history could not be read: an error in the program (see its log)".to_owned()))
}

/// An answer as it is written on the socket.
fn line(answer: &Answer) -> Vec<u8> {
    let mut text = serde_json::to_vec(answer).unwrap_or_default();
    text.push(b'\n');
    text
}

/// Asks the controller that runs with a data folder.
///
/// # Errors
/// Returns an error text if no controller runs or the socket may not be opened, or the error of the controller.
pub fn ask(data: &Path, question: &Question) -> Answer {
    let path = path(data);
    let patience = question.patience();
    let words = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            format!(
                "no controller runs with the data folder `{}` (`pointsman run` starts one; `-c` names the configuration)",
                data.display()
            )
        }
        io::ErrorKind::PermissionDenied => format!(
            "{}: {e}; ask as root or as the user that the controller runs as, or let the configuration give you access (`access`)",
            path.display()
        ),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            format!("the controller did not answer within {} s; its messages may say why", patience.as_secs())
        }
        _ => format!("{}: {e}", path.display()),
    };
    let mut stream = UnixStream::connect(&path).map_err(words)?;
    stream.set_read_timeout(Some(patience)).map_err(words)?;
    let sudo = std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty());
    let asked = Asked { question: question.clone(), sudo };
    let mut line = serde_json::to_string(&asked).map_err(|e| e.to_string())?;
    line.push('\n');
    // A controller that refuses a connection answers before it has read the question.
    let sent = stream.write_all(line.as_bytes());
    let mut answer = String::new();
    let read = BufReader::new(stream.take(ANSWER)).read_line(&mut answer);
    if !answer.ends_with('\n') {
        sent.and(read).map_err(words)?;
    }
    serde_json::from_str(&answer)
        .map_err(|e| format!("the controller's answer can't be read ({e}); is it of another version?"))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_is_too_long_is_not_taken_for_one_of_another_version() {
        let all = format!("\"{}\"\n", "x".repeat(usize::try_from(QUESTION).unwrap()));
        let arrived = &all[..usize::try_from(QUESTION).unwrap()];
        assert!(read(arrived).unwrap_err().contains("64 KiB"));
        assert!(read("{\"question\": \"what\"}\n").unwrap_err().contains("another version"));
    }
}
