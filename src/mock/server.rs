//! Sockets: two listeners, and worker threads with a runtime each.
//!
//! Connections are dealt to the workers in turn, and stay: nothing is shared between workers but the
//! authority's shards and a few counters.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::suite::defect::Defect;
use crate::suite::environment::Variant;

use super::alarm::Alarm;
use super::exchange::{Broken, receive, serve};
use super::front::Front;
use super::shared::Shared;
use super::stumbles::Stumbles;
use super::webapi::HttpResponse;
use super::wire::{Answered, Wire};
use super::written::written;
use super::{MockError, control};

/// How long a connection may rest where it may not rest for long.
const REST: Duration = Duration::from_millis(250);

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4096;

/// Running workers; they stop when this is dropped.
#[derive(Debug)]
pub(super) struct Workers {
    pub address: SocketAddr,
    pub control: SocketAddr,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            // A worker that panicked has said so already.
            drop(thread.join());
        }
    }
}

impl Workers {
    /// Listens on both addresses and serves, behind a front where there is one.
    pub fn start(
        shared: &Arc<Shared>,
        listen: SocketAddr,
        control: SocketAddr,
        threads: usize,
        front: Option<Front>,
    ) -> Result<Workers, MockError> {
        let (stop, stopped) = watch::channel(false);
        let mut workers = Workers { address: listen, control, stop, threads: Vec::new() };
        let mut posts = Vec::new();
        for number in 0..threads.max(1) {
            let (post, thread) =
                worker(number, stopped.clone()).map_err(|error| MockError::Listen(listen, error))?;
            posts.push(post);
            workers.threads.push(thread);
        }
        // Listening needs the runtime that will accept.
        let first = posts[0].clone();
        let entered = first.runtime.enter();
        let outside = bind(listen)?;
        workers.address = local(&outside, listen)?;
        let application = match front {
            None => outside,
            Some(front) => {
                let behind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let application = bind(behind)?;
                first.runtime.spawn(front.accept(outside, local(&application, behind)?));
                application
            }
        };
        let orders = bind(control)?;
        drop(entered);
        workers.control = local(&orders, control)?;
        let alone = vec![first.clone()];
        first.runtime.spawn(accept(orders, alone, Arc::clone(shared), Door::Control));
        first.runtime.spawn(accept(application, posts, Arc::clone(shared), Door::Application));
        Ok(workers)
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, MockError> {
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|error| MockError::Listen(address, error))
}

fn local(listener: &TcpListener, wanted: SocketAddr) -> Result<SocketAddr, MockError> {
    listener.local_addr().map_err(|error| MockError::Listen(wanted, error))
}

/// Where a worker is reached.
#[derive(Clone, Debug)]
struct Post {
    runtime: Handle,
    alarm: Arc<Alarm>,
}

/// A thread with a runtime of its own, which runs until it is told to stop.
fn worker(number: usize, mut stopped: watch::Receiver<bool>) -> std::io::Result<(Post, JoinHandle<()>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let entered = runtime.enter();
    let alarm = Arc::new(Alarm::new()?);
    drop(entered);
    let ringing = Arc::clone(&alarm);
    runtime.spawn(async move { ringing.ring().await });
    let post = Post { runtime: runtime.handle().clone(), alarm };
    let thread = std::thread::Builder::new().name(format!("mock-{number}")).spawn(move || {
        // Ends when told, and also when whoever could tell is gone.
        runtime.block_on(async { stopped.wait_for(|stop| *stop).await.map(drop).unwrap_or_default() });
    })?;
    Ok((post, thread))
}

/// Which of the two listeners a connection came by.
#[derive(Clone, Copy, Debug)]
enum Door {
    Application,
    Control,
}

async fn accept(listener: TcpListener, posts: Vec<Post>, shared: Arc<Shared>, door: Door) {
    for turn in 0_usize.. {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: others will close.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let epoch = shared.epoch.subscribe();
        // A connection that is gone already needs no service.
        let Ok(stream) = stream.into_std() else { continue };
        let Post { runtime, alarm } = &posts[turn % posts.len()];
        let served = Served { shared: Arc::clone(&shared), alarm: Arc::clone(alarm), line: turn as u64 };
        runtime.spawn(connection(stream, served, door, epoch));
    }
}

/// What a connection is served with.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub shared: Arc<Shared>,
    pub alarm: Arc<Alarm>,
    /// Which connection, by number.
    pub line: u64,
}

async fn connection(
    stream: std::net::TcpStream,
    served: Served,
    door: Door,
    mut epoch: watch::Receiver<u64>,
) {
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    // Without it small answers wait for acknowledgements; if it fails they do, and are still right.
    drop(stream.set_nodelay(true));
    let mut builder = http1::Builder::new();
    builder.title_case_headers(true).auto_date_header(false).half_close(false);
    let switches = served.shared.switches;
    if matches!(door, Door::Application) {
        let rests = switches.is(Variant::IdleTimeout);
        tokio::select! {
            spoken = speaks_two(&stream, rests) => match spoken {
                Some(false) => {}
                Some(true) => return frames(stream, &served, epoch).await,
                None => return,
            },
            _ = epoch.changed() => return,
        }
    }
    let mut wire = Wire::of(stream);
    if matches!(door, Door::Application) {
        wire.splits = switches.is(Variant::SplitAnswers);
        wire.hides_length = switches.has(Defect::LengthAndChunksKept);
        wire.swallows_continue = switches.is(Variant::ContinueIgnored);
        builder.title_case_headers(!switches.is(Variant::HeadersLowerCase));
        if switches.is(Variant::IdleTimeout) {
            builder.timer(TokioTimer::new()).header_read_timeout(REST);
        }
    }
    let io = TokioIo::new(wire);
    // Errors of a connection are its peer's doing, and the peer knows.
    match door {
        Door::Application => {
            let stumbles = Arc::new(Stumbles::of(switches));
            let service = service_fn(|request| {
                // Whatever is to happen to a request whose peer is gone already happens before the first poll.
                let (head, reading) = receive(&served, &stumbles, request);
                serve(served.clone(), Arc::clone(&stumbles), head, reading)
            });
            tokio::select! {
                _ = builder.serve_connection(io, service) => (),
                _ = epoch.changed() => (),
            }
        }
        Door::Control => {
            let service = service_fn(|request| order(Arc::clone(&served.shared), request));
            drop(builder.serve_connection(io, service).await);
        }
    }
}

/// Whether a connection begins as HTTP/2 does; nothing where it says nothing for longer than it may.
async fn speaks_two(stream: &TcpStream, rests: bool) -> Option<bool> {
    let looking = async {
        let mut start = [0; 3];
        loop {
            match stream.peek(&mut start).await {
                // Nobody there any more: whoever serves finds out.
                Ok(0) | Err(_) => return false,
                Ok(count) if !b"PRI".starts_with(&start[..count]) => return false,
                Ok(3) => return true,
                Ok(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    };
    if rests { tokio::time::timeout(REST, looking).await.ok() } else { Some(looking.await) }
}

/// Serves HTTP/2 by prior knowledge.
async fn frames(stream: TcpStream, served: &Served, mut epoch: watch::Receiver<u64>) {
    let stumbles = Arc::new(Stumbles::of(served.shared.switches));
    let service = service_fn(|request: Request<Incoming>| {
        // Over HTTP/1.1 hyper leaves the body of such an answer out by itself.
        let is_head = request.method() == Method::HEAD;
        let (head, reading) = receive(served, &stumbles, request);
        let served = serve(served.clone(), Arc::clone(&stumbles), head, reading);
        async move {
            let response = served.await?;
            Ok::<_, Broken>(if is_head { response.map(|_| Answered::whole(Vec::new())) } else { response })
        }
    });
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.auto_date_header(false);
    tokio::select! {
        _ = builder.serve_connection(TokioIo::new(Wire::of(stream)), service) => (),
        _ = epoch.changed() => (),
    }
}

/// The same for the control port.
async fn order(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Answered>, Infallible> {
    let (head, incoming) = request.into_parts();
    let limited = http_body_util::Limited::new(incoming, 64 * 1024);
    let (status, document) = match limited.collect().await {
        Ok(body) => {
            let (method, path, body) = (head.method.as_str(), head.uri.path(), body.to_bytes());
            control::obey(&shared, &control::Order { method, path, body: &body })
        }
        Err(_) => (400, serde_json::json!({ "error": "the document cannot be read" })),
    };
    let label = ("Content-Type".to_owned(), "application/json".to_owned());
    let response = HttpResponse { status, headers: vec![label], body: document.to_string().into_bytes() };
    Ok(written(response, shared.clock.now()))
}
