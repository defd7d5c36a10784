//! Sockets: two listeners, worker threads with a runtime each, and the way of a request through the mock.
//!
//! Connections are dealt to the workers in turn, and stay: nothing is shared between workers but the
//! authority's shards and a few counters.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, DATE, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle as JoinTask;

use crate::secret::Token;
use crate::suite::call::Slot;
use crate::suite::defect::Defect;
use crate::suite::environment::Variant;

use super::alarm::Alarm;
use super::authority::Authority;
use super::clock::{Clock, Moment};
use super::controllers::Controllers;
use super::defects::Switches;
use super::delays::Delays;
use super::host::Host;
use super::latency::Pace;
use super::oauth::OAuth;
use super::rivals::{Asked, Rivals};
use super::strain::{Strain, Toll};
use super::stumbles::{Stumbles, Weariness};
use super::webapi::{HttpRequest, HttpResponse, Pipeline, Received, echo};
use super::wire::{Answered, Wire};
use super::{MockError, MockLedger, control};

/// Bodies up to here are read; beyond it IIS answers 404.13.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// What an answer takes more where the mock is slow.
const SLOW: Duration = Duration::from_millis(40);

/// How long a connection may rest where it may not rest for long.
const REST: Duration = Duration::from_millis(250);

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4096;

/// What is served.
#[derive(Debug)]
pub(super) enum Application {
    /// A Web API with controllers.
    WebApi { pipeline: Pipeline, controllers: Box<Controllers>, refresh: String },
    /// The echo controller behind the same pipeline.
    Echo { pipeline: Pipeline },
    /// An OAuth 2.0 token endpoint.
    OAuth(Box<OAuth>),
}

/// What all workers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub application: Application,
    pub authority: Arc<Authority>,
    pub clock: Arc<Clock>,
    pub pace: Pace,
    pub delays: Delays,
    pub strain: Strain,
    pub ledger: Ledger,
    pub switches: Switches,
    /// What requests on their way do to each other, where a defect makes them.
    pub rivals: Option<Rivals>,
    pub host: Host,
    /// The names that the control port shows.
    pub dialect: String,
    pub policy: &'static str,
    /// The slot that passwords go by.
    pub password: Slot,
    /// Raised with every restart; connections of an earlier time close.
    pub epoch: watch::Sender<u64>,
    /// Grants that refusals will still cost.
    pub poison: AtomicU64,
    /// What it has been through.
    pub weariness: Weariness,
}

impl Shared {
    /// Closes every connection. What a real server keeps in its database is kept.
    pub fn restart(&self) {
        self.authority.restart();
        self.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// The identities and their slots.
    pub fn identities(&self) -> Vec<(String, Vec<(Slot, Token)>)> {
        let accounts = self.authority.roster.accounts.iter().enumerate();
        let identity = |(number, account): (usize, &super::authority::Account)| {
            (account.name.to_owned(), self.slots(number))
        };
        accounts.map(identity).collect()
    }

    /// The slots of one account.
    pub fn slots(&self, account: usize) -> Vec<(Slot, Token)> {
        let mut slots = self.authority.roster.slots(account, self.password);
        if matches!(self.application, Application::OAuth(_)) {
            slots.push((Slot::Scope, Token::new(super::oauth::USUAL_SCOPE)));
        }
        slots
    }
}

/// The mock's book of refreshes.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    requests: AtomicU64,
    granted: AtomicU64,
    refused: AtomicU64,
}

impl Ledger {
    /// What it holds.
    pub fn read(&self) -> MockLedger {
        // Answers before requests: a reader in between never sees more answers than requests.
        let granted = self.granted.load(Ordering::SeqCst);
        let refused = self.refused.load(Ordering::SeqCst);
        MockLedger { granted, refused, requests: self.requests.load(Ordering::SeqCst) }
    }

    fn asked(&self) {
        self.requests.fetch_add(1, Ordering::SeqCst);
    }

    fn answered(&self, granted: bool) {
        let count = if granted { &self.granted } else { &self.refused };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

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
    /// Listens on both addresses and serves.
    pub fn start(
        shared: &Arc<Shared>,
        listen: SocketAddr,
        control: SocketAddr,
        threads: usize,
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
        let application = bind(listen)?;
        let orders = bind(control)?;
        drop(entered);
        workers.address = local(&application, listen)?;
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
struct Served {
    shared: Arc<Shared>,
    alarm: Arc<Alarm>,
    /// Which connection.
    line: u64,
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

/// The way of a request: count, read, decide, wait, answer.
async fn serve(
    served: Served,
    stumbles: Arc<Stumbles>,
    head: Parts,
    reading: Reading,
) -> Result<Response<Answered>, Broken> {
    let shared = &served.shared;
    let arrived = Instant::now();
    let counted = shared.is_refresh(head.uri.path());
    if counted {
        shared.ledger.asked();
        shared.pace.arm(arrived);
    }
    stumbles.before(&head.headers).await;
    let toll = if counted { shared.toll(&served, &head.headers, arrived) } else { Toll::default() };
    let read = match reading {
        Reading::Here(body) => read(head, body, &stumbles).await?,
        Reading::Beside(task) => task.await.map_err(|_| Broken::Peer)?.heard().ok_or(Broken::Peer)?,
    };
    let _worker = shared.pace.turn().await;
    // What answering takes begins when all is there, as for any server: a race holds the last byte back.
    let wanted = counted && shared.delays.are_wanted();
    let whole_at = if shared.pace.is_immediate() && !wanted { arrived } else { Instant::now() };
    let answer = match read {
        Some(_) if toll.crashes => Answer { response: crashed(), refresh: None },
        Some(request) => {
            let answer = match (stumbles.instead(&request).await, &shared.rivals) {
                (Some(response), _) => Answer { response, refresh: None },
                (None, None) => shared.answer(&request),
                (None, Some(rivals)) => rivals.answer(shared, &served.alarm, &request).await,
            };
            stumbles.after(&shared.weariness, &request, &answer.response).await;
            shared.host.linger(&request).await;
            answer
        }
        None => Answer { response: too_large(), refresh: None },
    };
    let answer = shared.poisoned(counted, answer);
    shared.book(counted, answer.refresh, arrived);
    bear(shared, &toll, answer.refresh).await?;
    if !shared.pace.is_immediate() {
        wait(&shared.pace, &served.alarm, whole_at).await;
    }
    if shared.switches.is(Variant::SlowServer) {
        tokio::time::sleep(SLOW).await;
    }
    if wanted {
        shared.delays.note(whole_at.elapsed());
    }
    Ok(varied(written(answer.response, shared.clock.now()), shared.switches))
}

/// Why a connection ends without an answer.
#[derive(Debug)]
enum Broken {
    /// Its peer's doing.
    Peer,
    /// A defect closes it.
    Defect,
}

impl From<hyper::Error> for Broken {
    fn from(_: hyper::Error) -> Broken {
        Broken::Peer
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Broken::Peer => "the peer has gone",
            Broken::Defect => "a defect closes the connection",
        })
    }
}

impl std::error::Error for Broken {}

/// What load adds to the way of a refresh.
async fn bear(shared: &Shared, toll: &Toll, refresh: Option<bool>) -> Result<(), Broken> {
    if toll.dropped {
        return Err(Broken::Defect);
    }
    if toll.alone {
        shared.strain.hold().await;
    }
    let refused = if refresh == Some(true) { Duration::ZERO } else { toll.if_refused };
    let delay = toll.delay + refused;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    Ok(())
}

/// An answer, and whether it is one to a refresh.
pub(super) struct Answer {
    pub response: HttpResponse,
    /// For a refresh, whether it was granted.
    pub refresh: Option<bool>,
}

impl Shared {
    /// Whether the path alone says that this is a refresh. At a token endpoint of OAuth 2.0 the body says it.
    fn is_refresh(&self, path: &str) -> bool {
        match &self.application {
            Application::WebApi { refresh, .. } => path.trim_end_matches('/').eq_ignore_ascii_case(refresh),
            Application::Echo { .. } | Application::OAuth(_) => false,
        }
    }

    /// Under [`Defect::RefusalPoisons`] every refusal costs a later grant.
    fn poisoned(&self, counted: bool, answer: Answer) -> Answer {
        if !self.switches.has(Defect::RefusalPoisons) || !(counted || answer.refresh.is_some()) {
            return answer;
        }
        if answer.refresh != Some(true) {
            self.poison.fetch_add(1, Ordering::SeqCst);
            return answer;
        }
        let less = |poison: u64| poison.checked_sub(1);
        match self.poison.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
            Ok(_) => Answer { response: turned_away(), refresh: Some(false) },
            Err(_) => answer,
        }
    }

    fn toll(&self, served: &Served, headers: &HeaderMap, now: Instant) -> Toll {
        let label = headers.get(hyper::header::CONTENT_TYPE);
        let xml = label.and_then(|label| label.to_str().ok()).is_some_and(|label| label.contains("xml"));
        self.strain.toll(served.line, xml, now)
    }

    fn book(&self, counted: bool, refresh: Option<bool>, arrived: Instant) {
        if counted {
            self.ledger.answered(refresh == Some(true));
        } else if let Some(granted) = refresh {
            self.ledger.asked();
            self.pace.arm(arrived);
            self.ledger.answered(granted);
        }
    }

    /// The token that a refresh or a revocation presents.
    pub fn asked(&self, request: &HttpRequest) -> Option<Asked> {
        let media = request.header("content-type").next().unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().to_owned();
        let (token, revokes) = match &self.application {
            Application::WebApi { pipeline, controllers, .. } => match pipeline.receive(request) {
                Received::Act(call) => controllers.asked(&call)?,
                Received::Done(_) => return None,
            },
            Application::OAuth(endpoint) => endpoint.asked(request)?,
            Application::Echo { .. } => return None,
        };
        Some(Asked { token, revokes, media })
    }

    /// The answer of the application, as the host lets it out.
    pub fn answer(&self, request: &HttpRequest) -> Answer {
        let answer = self.act(request);
        let response = self.host.finish(request, answer.refresh == Some(true), answer.response);
        Answer { response, ..answer }
    }

    fn act(&self, request: &HttpRequest) -> Answer {
        if self.switches.has(Defect::AlwaysCrash) {
            return Answer { response: crashed(), refresh: None };
        }
        match &self.application {
            Application::WebApi { .. } if is_bad_url(&request.target) => {
                Answer { response: bad_url(), refresh: None }
            }
            Application::WebApi { pipeline, controllers, .. } => match pipeline.receive(request) {
                Received::Done(response) => Answer { response, refresh: None },
                Received::Act(call) => {
                    let acted = controllers.act(&call, request);
                    let refresh = acted.granted.then_some(true);
                    let response = pipeline.answer(&call, &acted.result);
                    Answer { response: pipeline.as_asked(request, response), refresh }
                }
            },
            Application::Echo { pipeline } => {
                Answer { response: pipeline.serve(request, &echo::answer), refresh: None }
            }
            Application::OAuth(endpoint) => {
                let acted = endpoint.answer(request);
                Answer { response: acted.response, refresh: acted.refresh }
            }
        }
    }
}

/// Waits until a request that was there whole at `whole_at` may be answered. A stall may begin meanwhile.
async fn wait(pace: &Pace, alarm: &Alarm, whole_at: Instant) {
    let own = pace.draw();
    loop {
        let due = pace.due(whole_at, own);
        if Instant::now() >= due {
            return;
        }
        alarm.sleep_until(due).await;
    }
}

/// How the rest of a request is read.
enum Reading {
    /// By whoever answers it.
    Here(Incoming),
    /// By a task of its own, because rivals are to learn of a caller who hangs up meanwhile: the connection drops
    /// whoever answers as soon as its peer is gone, and what was read with it.
    Beside(JoinTask<Unheard>),
}

/// Begins to read.
fn receive(served: &Served, stumbles: &Arc<Stumbles>, request: Request<Incoming>) -> (Parts, Reading) {
    let (head, body) = request.into_parts();
    if served.shared.rivals.is_none() {
        return (head, Reading::Here(body));
    }
    let (stumbles, own, mut unheard) = (Arc::clone(stumbles), head.clone(), Unheard::new(&served.shared));
    let task = tokio::spawn(async move {
        match read(own, body, &stumbles).await {
            Ok(read) => unheard.request = Some(read),
            Err(_) => unheard.shared.rivals.iter().for_each(Rivals::broken),
        }
        unheard
    });
    (head, Reading::Beside(task))
}

/// A request that was read. Dropped with it, its caller hung up before anybody listened.
struct Unheard {
    shared: Arc<Shared>,
    request: Option<Option<HttpRequest>>,
}

impl Unheard {
    fn new(shared: &Arc<Shared>) -> Unheard {
        Unheard { shared: Arc::clone(shared), request: None }
    }

    /// The request, which is heard now.
    fn heard(mut self) -> Option<Option<HttpRequest>> {
        self.request.take()
    }
}

impl Drop for Unheard {
    fn drop(&mut self) {
        let Some(Some(request)) = self.request.take() else { return };
        let asked = self.shared.asked(&request);
        if let (Some(rivals), Some(asked)) = (&self.shared.rivals, asked) {
            rivals.hung_up(&self.shared.authority, &asked, self.shared.clock.now());
        }
    }
}

/// Reads a request whole; `None` where its body is too large.
async fn read(
    head: Parts,
    mut incoming: Incoming,
    stumbles: &Stumbles,
) -> Result<Option<HttpRequest>, hyper::Error> {
    let announced = incoming.size_hint().exact();
    if announced.is_some_and(|length| length > BODY_LIMIT as u64) {
        return Ok(None);
    }
    let mut body = Vec::new();
    let mut waiting = Instant::now();
    while let Some(frame) = incoming.frame().await {
        stumbles.after_piece(waiting.elapsed()).await;
        waiting = Instant::now();
        if let Some(data) = frame?.data_ref() {
            if body.len() + data.len() > BODY_LIMIT {
                return Ok(None);
            }
            body.extend_from_slice(data);
        }
    }
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let headers =
        head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    Ok(Some(HttpRequest {
        method: head.method.as_str().to_owned(),
        target,
        has_length: !head.headers.contains_key(hyper::header::TRANSFER_ENCODING),
        headers: headers.collect(),
        body,
    }))
}

/// The answer as the variants of the server have it.
fn varied(mut response: Response<Answered>, switches: Switches) -> Response<Answered> {
    let old = switches.is(Variant::OldHttp);
    if switches.is(Variant::NoDate) {
        response.headers_mut().remove(DATE);
    }
    if switches.is(Variant::HeadersReordered) {
        let headers = std::mem::take(response.headers_mut());
        *response.headers_mut() = reordered(&headers);
    }
    if old || switches.is(Variant::ClosesConnections) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if old {
        *response.version_mut() = Version::HTTP_10;
    } else if switches.is(Variant::Chunked) {
        response = response.map(Answered::in_chunks);
    }
    response
}

/// The last header first; values of one name keep their order.
fn reordered(headers: &HeaderMap) -> HeaderMap {
    let names: Vec<HeaderName> = headers.keys().cloned().collect();
    let mut reordered = HeaderMap::new();
    for name in names.into_iter().rev() {
        for value in headers.get_all(&name) {
            reordered.append(name.clone(), value.clone());
        }
    }
    reordered
}

fn written(response: HttpResponse, now: Moment) -> Response<Answered> {
    let mut written = Response::new(Answered::whole(response.body));
    *written.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = written.headers_mut();
    for (name, value) in response.headers {
        // What cannot stand in a header was put there by a defect, and is left out.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    headers.insert(DATE, date(now));
    written
}

/// The `Date` header, made once a second on each worker.
fn date(now: Moment) -> HeaderValue {
    thread_local! {
        static LAST: std::cell::RefCell<Option<(i64, HeaderValue)>> = const { std::cell::RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| match last {
        Some((second, value)) if *second == now.seconds() => value.clone(),
        last => {
            let value = HeaderValue::try_from(now.http_date()).expect("a date is plain ASCII");
            *last = Some((now.seconds(), value.clone()));
            value
        }
    })
}

fn turned_away() -> HttpResponse {
    let label = ("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned());
    HttpResponse { status: 403, headers: vec![label], body: br#"{"Message":"Try again later."}"#.to_vec() }
}

pub(super) fn crashed() -> HttpResponse {
    let label = ("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned());
    HttpResponse {
        status: 500,
        headers: vec![label],
        body: br#"{"Message":"An error has occurred."}"#.to_vec(),
    }
}

/// A path with an encoded control character does not reach the application.
fn is_bad_url(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default().as_bytes();
    path.windows(3).any(|escape| matches!(escape, [b'%', b'0' | b'1', digit] if digit.is_ascii_hexdigit()))
}

/// What HTTP.sys answers to it.
fn bad_url() -> HttpResponse {
    HttpResponse {
        status: 400,
        headers: vec![("Content-Type".to_owned(), "text/html; charset=us-ascii".to_owned())],
        body: b"<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\"http://www.w3.org/TR/html4/strict.dtd\">\r\n\
            <HTML><HEAD><TITLE>Bad Request</TITLE></HEAD>\r\n<BODY><h2>Bad Request - Invalid URL</h2>\r\n<hr>\
            <p>HTTP Error 400. The request URL is invalid.</p>\r\n</BODY></HTML>\r\n"
            .to_vec(),
    }
}

/// What IIS answers beyond its limit; the connection is not read further.
fn too_large() -> HttpResponse {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    HttpResponse {
        status: 404,
        headers: vec![header("Content-Type", "text/html"), header("Connection", "close")],
        body: b"<!DOCTYPE html>\r\n<html><head><title>404.13 - Not Found</title></head><body>\
            <h2>HTTP Error 404.13 - Not Found</h2><p>The request filtering module is configured to deny a \
            request that exceeds the request content length.</p></body></html>\r\n"
            .to_vec(),
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
