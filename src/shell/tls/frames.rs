//! Frames on a connection: a length of four octets and JSON.

use std::io;

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The maximum size of one frame in bytes. A connection that sends a larger one is closed.
const FRAME: usize = 1024 * 1024;
/// The maximum size in bytes before the other end is authenticated: a token, a name and a request for a certificate.
const FRAME_UNAUTHENTICATED: usize = 16 * 1024;

pub(super) async fn write(to: &mut (impl AsyncWrite + Unpin), message: &impl Serialize) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut frame = Vec::with_capacity(4 + body.len());
    frame.extend(length.to_be_bytes());
    frame.extend(body);
    to.write_all(&frame).await?;
    to.flush().await
}

/// Reads one frame. Do not cancel this: the bytes of the frame that were already read would be lost.
pub(super) async fn read<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    serde_json::from_slice(&read_body(from, FRAME).await?).map_err(io::Error::other)
}

/// Reads one frame of a connection that has not shown a certificate. Do not cancel this.
pub(super) async fn read_unauthenticated<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    serde_json::from_slice(&read_body(from, FRAME_UNAUTHENTICATED).await?).map_err(io::Error::other)
}

/// Reads one frame. Returns `None` for a message that this version does not know. Do not cancel this.
pub(super) async fn read_lenient<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<T>> {
    Ok(serde_json::from_slice(&read_body(from, FRAME).await?).ok())
}

async fn read_body(from: &mut (impl AsyncRead + Unpin), most: usize) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await? as usize;
    if length > most {
        // What is not too long for anybody is read to its end, without keeping it, so that the other end learns of the refusal and
        // not of a broken connection.
        if length <= FRAME {
            tokio::io::copy(&mut from.take(length as u64), &mut tokio::io::sink()).await?;
        }
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a frame of {length} bytes; {most} are the limit")));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).await?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A long frame without a certificate is refused without being kept, and it is read to its end.
    #[tokio::test]
    async fn a_long_unauthenticated_frame_is_refused_and_read() {
        let (mut to, mut from) = tokio::io::duplex(1_000);
        let long = vec![1_u8; FRAME_UNAUTHENTICATED];
        let writes = tokio::spawn(async move {
            let written = write(&mut to, &long).await;
            let again = write(&mut to, &7).await;
            (written.is_ok(), again.is_ok())
        });
        let refused = read_unauthenticated::<Vec<u8>>(&mut from).await.unwrap_err();
        assert!(refused.to_string().contains("the limit"), "{refused}");
        assert_eq!(read_unauthenticated::<u8>(&mut from).await.unwrap(), 7);
        assert_eq!(writes.await.unwrap(), (true, true));
    }
}
