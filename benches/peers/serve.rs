//! The fixed-response server: one thread, keep-alive, an answer for whatever is asked.
//!
//! HTTP/1.1 is read with `httparse` and nothing else is looked at but path, Accept and Content-Length. `/count` says
//! how many answers were given, which is what every client's CPU time is divided by.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::answer::{Answers, Asked};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 16_384;
/// What a connection reads at once; no request here is larger.
const BUFFER: usize = 4096;

/// How the server speaks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner<'a> {
    /// Over TLS: where to write its certificate, for clients that want to trust it.
    pub certificate: Option<&'a Path>,
    /// HTTP/2 instead of HTTP/1.1.
    pub http2: bool,
}

/// Serves on this port of the loopback interface until the process ends. The next port is always plain HTTP/1.1, so
/// that it can be asked for its count.
pub fn serve(port: u16, manner: Manner<'_>) -> anyhow::Result<()> {
    raise_file_limit();
    let tls = manner.certificate.map(|path| acceptor(path, manner.http2)).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        let (door, window) = (listen(port)?, listen(port + 1)?);
        let connection =
            Connection { answers: Answers::new(), served: Rc::new(Cell::new(0)), count: Vec::new() };
        tokio::task::spawn_local(accept(window, connection.clone(), None, false));
        accept(door, connection, tls, manner.http2).await;
        Ok(())
    })
}

async fn accept(listener: TcpListener, connection: Connection, tls: Option<TlsAcceptor>, http2: bool) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Without it the answers wait for acknowledgments; a socket that refuses is closed already.
        let _ = stream.set_nodelay(true);
        tokio::task::spawn_local(connection.clone().welcome(stream, tls.clone(), http2));
    }
}

fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address).with_context(|| format!("cannot listen on {address}"))?;
    Ok(socket.listen(BACKLOG)?)
}

fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it cannot be raised, connections beyond it are refused, and the clients say so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// TLS with a certificate of its own, which is written to `path`.
fn acceptor(path: &Path, http2: bool) -> anyhow::Result<TlsAcceptor> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    std::fs::write(path, made.cert.pem()).with_context(|| format!("cannot write {}", path.display()))?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .context("the certificate that was just made")?;
    config.alpn_protocols = vec![if http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// One connection's share of the server.
#[derive(Clone)]
struct Connection {
    answers: Answers,
    served: Rc<Cell<u64>>,
    /// The answer to `/count`.
    count: Vec<u8>,
}

impl Connection {
    async fn welcome(self, stream: TcpStream, tls: Option<TlsAcceptor>, http2: bool) {
        // A client that hangs up, or speaks something else, ends its own connection and nothing more.
        let _ = match tls {
            Some(tls) => match tls.accept(stream).await {
                Ok(stream) => self.speak(stream, http2).await,
                Err(error) => Err(error.into()),
            },
            None => self.speak(stream, http2).await,
        };
    }

    async fn speak<S>(self, stream: S, http2: bool) -> anyhow::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        if http2 { self.speak_http2(stream).await } else { self.speak_http1(stream).await }
    }

    async fn speak_http1<S: AsyncRead + AsyncWrite + Unpin>(mut self, mut stream: S) -> anyhow::Result<()> {
        let mut buffer = [0; BUFFER];
        let mut filled = 0;
        loop {
            let count = stream.read(&mut buffer[filled..]).await?;
            if count == 0 {
                return Ok(());
            }
            filled += count;
            let mut used = 0;
            while let Some((length, answer)) = self.answer(&buffer[used..filled])? {
                stream.write_all(answer).await?;
                stream.flush().await?;
                used += length;
            }
            buffer.copy_within(used..filled, 0);
            filled -= used;
        }
    }

    /// The length of the request at the front of `bytes` and its answer, once all of it is there.
    fn answer(&mut self, bytes: &[u8]) -> anyhow::Result<Option<(usize, &[u8])>> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(head) = request.parse(bytes)? else { return Ok(None) };
        let header = |name: &str| {
            let found = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| header.value)
        };
        let body = header("content-length").and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        let length = head + body.unwrap_or(0_usize);
        anyhow::ensure!(length <= BUFFER, "a request of {length} bytes");
        if bytes.len() < length {
            return Ok(None);
        }
        let path = request.path.unwrap_or_default();
        if path == "/count" {
            return Ok(Some((length, self.count())));
        }
        let asked = Asked::by(path, header("accept"));
        Ok(Some((length, self.next(asked).bytes())))
    }

    fn next(&mut self, asked: Asked) -> &crate::answer::Fixed {
        let number = self.served.get() + 1;
        self.served.set(number);
        self.answers.numbered(asked, number)
    }

    fn count(&mut self) -> &[u8] {
        let text = self.served.get().to_string();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        self.count = answer.into_bytes();
        &self.count
    }

    async fn speak_http2<S>(self, stream: S) -> anyhow::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut own = self.clone();
            async move { Ok::<_, Infallible>(own.answer_http2(&request)) }
        });
        let connection = hyper::server::conn::http2::Builder::new(Local);
        connection.serve_connection(TokioIo::new(stream), service).await?;
        Ok(())
    }

    fn answer_http2(&mut self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path() == "/count" {
            return Response::new(Full::from(self.served.get().to_string()));
        }
        let accept = request.headers().get("accept").map(|value| value.as_bytes().to_vec());
        let fixed = self.next(Asked::by(request.uri().path(), accept.as_deref()));
        Response::builder()
            .header("content-type", fixed.media())
            .body(Full::from(fixed.body().to_vec()))
            .expect("constants make a head")
    }
}

/// Runs hyper's tasks on this thread.
#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(task);
    }
}
