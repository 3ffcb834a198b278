//! Messages on a stream: headers, an empty line, JSON. Whatever the other side sends, the memory for it is bounded.

use std::io::{self, BufRead, Read, Write};

use lsp_server::{Message, RequestId};

/// The greatest number of bytes of one message: a rule file of the greatest size, with its escapes.
const MESSAGE_BYTES: usize = 160 * 1024 * 1024;
/// The greatest number of bytes of the headers of one message.
const HEADER_BYTES: u64 = 4 * 1024;

/// What came from the other side.
pub(super) enum MessageFrame {
    Message(Message),
    /// A whole message that is not understood, with the reason.
    Garbage(String),
    /// The stream ended between two messages.
    End,
}

/// Reads one message.
///
/// # Errors
/// When the stream fails, ends within a message, or is not a stream of messages. Nothing can be read after that.
pub(super) fn read(from: &mut impl BufRead) -> io::Result<MessageFrame> {
    let bad = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let mut length = None;
    let mut headers = from.by_ref().take(HEADER_BYTES);
    loop {
        let mut line = Vec::new();
        headers.read_until(b'\n', &mut line)?;
        match line.strip_suffix(b"\n") {
            None if line.is_empty() && length.is_none() && headers.limit() == HEADER_BYTES => return Ok(MessageFrame::End),
            None => return Err(bad("the headers of a message do not end")),
            Some(line) => {
                let line = String::from_utf8_lossy(line);
                let line = line.trim_end();
                if line.is_empty() {
                    break;
                }
                let Some((name, value)) = line.split_once(':') else {
                    return Err(bad("what came is not a message of the protocol"));
                };
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.trim().parse::<usize>().ok();
                }
            }
        }
    }
    let length = length.ok_or_else(|| bad("a message does not say its length"))?;
    if length > MESSAGE_BYTES {
        return Err(bad(&format!("a message of {length} bytes is not read")));
    }
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(bad("the stream ended within a message"));
    }
    Ok(match serde_json::from_slice(&bytes) {
        Ok(message) => MessageFrame::Message(message),
        Err(why) => MessageFrame::Garbage(why.to_string()),
    })
}

/// Writes the answer to a request, whose result is JSON text.
///
/// # Errors
/// When the stream fails: the other side is gone.
pub(super) fn write_answer(to: &mut impl Write, id: &RequestId, result: &str) -> io::Result<()> {
    let head = format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":", serde_json::to_string(id)?);
    write!(to, "Content-Length: {}\r\n\r\n{head}{result}}}", head.len() + result.len() + 1)?;
    to.flush()
}

/// Writes one message.
///
/// # Errors
/// When the stream fails: the other side is gone.
pub(super) fn write(to: &mut impl Write, message: Message) -> io::Result<()> {
    message.write(to)?;
    to.flush()
}
