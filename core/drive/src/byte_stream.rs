//! A data channel as a stream of bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_io::{AsyncRead, AsyncWrite};
use pavane::{Message, SendError};

use crate::DataChannel;
use crate::channel::{closed, recv, send};
use crate::wait::Waiting;

/// A [`DataChannel`] as a stream of bytes each way, for code that expects one: messages end to end, whose bounds mean
/// nothing. The channel has to be ordered and reliable for that.
///
/// It is an [`AsyncRead`] and [`AsyncWrite`] of the futures crates; `pavane-tokio` has one for tokio's traits. Reading ends
/// when the channel is closed and everything is read. Closing closes the channel, both ways, once all that was written has
/// been delivered, and waits for that. What is written is on its way without being flushed.
///
/// # Cancel safety
/// A read or write that is dropped while it waits has read or written nothing.
#[derive(Debug)]
pub struct ByteStream {
    channel: DataChannel,
    /// What of a message is not read yet.
    rest: Bytes,
    reading: Waiting,
    writing: Waiting,
    closing: Waiting,
}

/// What a message carries: as much as every peer takes.
const PIECE: usize = 16 * 1024;

impl ByteStream {
    /// The stream that a channel is.
    pub fn new(channel: DataChannel) -> Self {
        let waiting = || channel.waiting();
        Self { rest: Bytes::new(), reading: waiting(), writing: waiting(), closing: waiting(), channel }
    }

    /// The channel. Messages that it receives are missing from the stream.
    pub const fn channel(&self) -> &DataChannel {
        &self.channel
    }
}

impl From<DataChannel> for ByteStream {
    fn from(channel: DataChannel) -> Self {
        Self::new(channel)
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let Self { channel, rest, reading, .. } = self.get_mut();
        // An empty message brings nothing, and is no end.
        while rest.is_empty() && !buf.is_empty() {
            *rest = match ready!(reading.poll(cx, |state| recv(state, channel.id()))) {
                Some(Message::Binary(bytes)) => bytes,
                Some(Message::Text(text)) => Bytes::copy_from_slice(text.as_bytes()),
                None => return Poll::Ready(Ok(0)),
            };
        }
        let len = rest.len().min(buf.len());
        rest.copy_to_slice(&mut buf[..len]);
        Poll::Ready(Ok(len))
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Self { channel, writing, .. } = self.get_mut();
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let piece = &buf[..buf.len().min(PIECE)];
        let message = || Message::binary(Bytes::copy_from_slice(piece));
        let sent = ready!(writing.poll(cx, |state| send(state, channel.id(), message)));
        Poll::Ready(sent.map(|()| piece.len()).map_err(into_io))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { channel, closing, .. } = self.get_mut();
        channel.close();
        closing.poll(cx, |state| closed(state, channel.id())).map(Ok)
    }
}

fn into_io(error: SendError) -> io::Error {
    let kind = match error {
        SendError::NotOpen => io::ErrorKind::BrokenPipe,
        _ => io::ErrorKind::InvalidInput,
    };
    io::Error::new(kind, error)
}
