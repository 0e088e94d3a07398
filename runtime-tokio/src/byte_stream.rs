//! A data channel as tokio's kind of stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead as _, AsyncWrite as _};
use pavane_drive::DataChannel;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// [`pavane_drive::ByteStream`] with tokio's traits.
#[derive(Debug)]
pub struct ByteStream(pavane_drive::ByteStream);

impl ByteStream {
    /// The stream that a channel is.
    pub fn new(channel: DataChannel) -> Self {
        Self(pavane_drive::ByteStream::new(channel))
    }

    /// The channel. Messages that it receives are missing from the stream.
    pub const fn channel(&self) -> &DataChannel {
        self.0.channel()
    }

    fn inner(self: Pin<&mut Self>) -> Pin<&mut pavane_drive::ByteStream> {
        Pin::new(&mut self.get_mut().0)
    }
}

impl From<DataChannel> for ByteStream {
    fn from(channel: DataChannel) -> Self {
        Self::new(channel)
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let unfilled = buf.initialize_unfilled();
        self.inner().poll_read(cx, unfilled).map_ok(|len| buf.advance(len))
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.inner().poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_close(cx)
    }
}
