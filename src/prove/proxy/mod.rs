//! A proxy between the client and the clean mock that spoils one thing in answers to refreshes.
//!
//! It kills checks without knowing the list of defects: what it can spoil follows from the dialect's declared
//! answer. It passes requests on as the bytes they are, and edits answers as bytes, with no codec of the client.

mod edit;
mod mutations;
mod spans;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use self::edit::{Edit, Parts};

pub(super) use self::mutations::{Mutation, all, justified};

/// Heads and bodies of answers beyond this are passed on unseen.
const ANSWER_MAX: usize = 4 << 20;

/// So much of a request is looked at.
const SEEN_MAX: usize = 64 << 10;

/// A running proxy; it stops when it is dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    /// Where it listens.
    pub(super) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What all connections share.
#[derive(Debug)]
struct Rules {
    upstream: SocketAddr,
    /// The path of the refresh operation.
    path: String,
    mutation: Mutation,
    /// What the first granted answer had at the mutation's place.
    earlier: Mutex<Option<Vec<u8>>>,
}

impl Proxy {
    /// Listens on a port of its own.
    pub(super) async fn start(
        upstream: SocketAddr,
        path: &str,
        mutation: Mutation,
    ) -> std::io::Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let rules = Arc::new(Rules { upstream, path: path.to_owned(), mutation, earlier: Mutex::default() });
        let accepting = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(connection(client, Arc::clone(&rules)));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Proxy { address, accepting })
    }
}

/// The request that an answer belongs to, as far as it was seen.
type Seen = Arc<Mutex<Vec<u8>>>;

async fn connection(client: TcpStream, rules: Arc<Rules>) {
    let Ok(server) = TcpStream::connect(rules.upstream).await else { return };
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let seen = Seen::default();
    let forward = tokio::spawn(requests(from_client, to_server, Arc::clone(&seen)));
    answers(from_server, to_client, &rules, &seen).await;
    forward.abort();
}

/// Requests pass as they are.
async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, seen: Seen) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let room = SEEN_MAX.saturating_sub(seen.len()).min(read);
            seen.extend_from_slice(&buffer[..room]);
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
    drop(to.shutdown().await);
}

/// Answers are read whole, changed where the mutation says so, and passed on.
async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, rules: &Rules, seen: &Seen) {
    let mut buffer = Vec::new();
    while let Some(answer) = next(&mut from, &mut buffer, seen).await {
        let (bytes, ends) = match answer {
            Read::Interim(bytes) => (bytes, false),
            Read::Answer(parts) => {
                let request = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
                rules.pass(parts, &request)
            }
        };
        if to.write_all(&bytes).await.is_err() || ends {
            break;
        }
    }
    drop(to.shutdown().await);
}

impl Rules {
    /// What goes out for an answer, and whether the connection ends behind it.
    fn pass(&self, mut parts: Parts, request: &[u8]) -> (Vec<u8>, bool) {
        if self.is_refresh(request) && self.mutation.occasion.is(&parts, &self.mutation.granted_at) {
            let earlier = self.remember(&parts);
            edit::apply(&mut parts, &self.mutation.edit, earlier.as_deref());
        }
        let broken = parts.told.is_some();
        (parts.written(), broken)
    }

    /// A login that shares the path of a refresh says so in its body.
    fn is_refresh(&self, request: &[u8]) -> bool {
        let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let target = line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
        let login = b"grant_type=password";
        path.eq_ignore_ascii_case(self.path.as_bytes())
            && !request.windows(login.len()).any(|window| window == login)
    }

    fn remember(&self, parts: &Parts) -> Option<Vec<u8>> {
        let Edit::Member(path, _) = &self.mutation.edit else { return None };
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        if earlier.is_none() {
            *earlier = edit::value_at(parts, path);
        }
        earlier.clone()
    }
}

enum Read {
    /// A `1xx`, as it is.
    Interim(Vec<u8>),
    Answer(Parts),
}

/// The next answer; `None` where the connection ends, or carries what the mock never sends.
async fn next(from: &mut OwnedReadHalf, buffer: &mut Vec<u8>, seen: &Seen) -> Option<Read> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        more(from, buffer).await?;
    };
    let head = buffer[..end].to_vec();
    let lines: Vec<Vec<u8>> =
        head.split(|byte| *byte == b'\n').map(|line| line.trim_ascii_end().to_vec()).collect();
    let mut parts = Parts { lines, body: Vec::new(), told: None };
    let status = parts.lines[0].get(9..12)?.to_vec();
    if status.starts_with(b"1") {
        return Some(Read::Interim(buffer.drain(..end + 4).collect()));
    }
    let is_head = seen.lock().unwrap_or_else(PoisonError::into_inner).starts_with(b"HEAD ");
    let told: usize = parts.header("content-length").parse().unwrap_or(0);
    let length = if is_head || status == b"204" || status == b"304" { 0 } else { told };
    while buffer.len() < end + 4 + length {
        more(from, buffer).await?;
    }
    parts.body = buffer[end + 4..end + 4 + length].to_vec();
    if is_head {
        parts.told = Some(told);
    }
    buffer.drain(..end + 4 + length);
    Some(Read::Answer(parts))
}

async fn more(from: &mut OwnedReadHalf, buffer: &mut Vec<u8>) -> Option<()> {
    let read = from.read_buf(buffer).await.ok()?;
    (read > 0 && buffer.len() <= ANSWER_MAX).then_some(())
}
