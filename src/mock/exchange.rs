//! The way of a request through the mock: count, read, decide, wait, answer.
//!
//! Where requests on their way are to learn of each other (`rivals`), a request is read by a task of its own, which
//! outlives a caller who hangs up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use tokio::task::JoinHandle;

use crate::suite::environment::Variant;

use super::alarm::Alarm;
use super::canned::{crashed, too_large};
use super::latency::Pace;
use super::rivals::Rivals;
use super::server::Served;
use super::shared::{Answer, Shared};
use super::strain::Toll;
use super::stumbles::Stumbles;
use super::webapi::HttpRequest;
use super::wire::Answered;
use super::written::{varied, written};

/// Bodies up to here are read; beyond it IIS answers 404.13.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// What an answer takes more where the mock is slow.
const SLOW: Duration = Duration::from_millis(40);

/// The way of a request: count, read, decide, wait, answer.
pub(super) async fn serve(
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
    let toll = if counted { shared.toll(served.line, &head.headers, arrived) } else { Toll::default() };
    let read = match reading {
        Reading::Here(body) => read(head, body, &stumbles).await?,
        Reading::Beside(task) => task.await.map_err(|_| Broken::Peer)?.heard().ok_or(Broken::Peer)?,
    };
    let _worker = shared.pace.turn().await;
    // What answering takes begins when all is there, as for any server: a race holds the last byte back.
    let whole_at = Instant::now();
    let wanted = counted && shared.delays.are_wanted();
    let answer = match read {
        Read::Whole(_) if toll.crashes || (counted && shared.pace.fails()) => {
            Answer { response: crashed(), refresh: None }
        }
        Read::Whole(request) => {
            let answer = match (stumbles.instead(&request).await, &shared.rivals) {
                (Some(response), _) => Answer { response, refresh: None },
                (None, None) => shared.answer(&request),
                (None, Some(rivals)) => rivals.answer(shared, &served.alarm, &request).await,
            };
            stumbles.after(&shared.weariness, &request, &answer.response).await;
            shared.host.linger(&request).await;
            answer
        }
        Read::TooLarge => Answer { response: too_large(), refresh: None },
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
pub(super) enum Broken {
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
pub(super) enum Reading {
    /// By whoever answers it.
    Here(Incoming),
    /// By a task of its own, because rivals are to learn of a caller who hangs up meanwhile: the connection drops
    /// whoever answers as soon as its peer is gone, and what was read with it.
    Beside(JoinHandle<Unheard>),
}

/// Begins to read.
pub(super) fn receive(
    served: &Served,
    stumbles: &Arc<Stumbles>,
    request: Request<Incoming>,
) -> (Parts, Reading) {
    let (head, body) = request.into_parts();
    if served.shared.rivals.is_none() {
        return (head, Reading::Here(body));
    }
    let (stumbles, own, mut unheard) = (Arc::clone(stumbles), head.clone(), Unheard::new(&served.shared));
    let task = tokio::spawn(async move {
        match read(own, body, &stumbles).await {
            Ok(read) => unheard.read = Some(read),
            Err(_) => unheard.shared.rivals.iter().for_each(Rivals::broken),
        }
        unheard
    });
    (head, Reading::Beside(task))
}

/// A request that was read. Dropped with it, its caller hung up before anybody listened.
pub(super) struct Unheard {
    shared: Arc<Shared>,
    read: Option<Read>,
}

impl Unheard {
    fn new(shared: &Arc<Shared>) -> Unheard {
        Unheard { shared: Arc::clone(shared), read: None }
    }

    /// The request, which is heard now.
    fn heard(mut self) -> Option<Read> {
        self.read.take()
    }
}

impl Drop for Unheard {
    fn drop(&mut self) {
        let Some(Read::Whole(request)) = self.read.take() else { return };
        let asked = self.shared.asked(&request);
        if let (Some(rivals), Some(asked)) = (&self.shared.rivals, asked) {
            rivals.hung_up(&self.shared.authority, &asked, self.shared.clock.now());
        }
    }
}

/// What was read.
enum Read {
    Whole(HttpRequest),
    /// A body beyond [`BODY_LIMIT`], of which the rest is left.
    TooLarge,
}

/// Reads a request whole.
async fn read(head: Parts, mut incoming: Incoming, stumbles: &Stumbles) -> Result<Read, hyper::Error> {
    let announced = incoming.size_hint().exact();
    if announced.is_some_and(|length| length > BODY_LIMIT as u64) {
        return Ok(Read::TooLarge);
    }
    let mut body = Vec::new();
    let mut waiting = Instant::now();
    while let Some(frame) = incoming.frame().await {
        stumbles.after_piece(waiting.elapsed()).await;
        waiting = Instant::now();
        if let Some(data) = frame?.data_ref() {
            if body.len() + data.len() > BODY_LIMIT {
                return Ok(Read::TooLarge);
            }
            body.extend_from_slice(data);
        }
    }
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let headers =
        head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    Ok(Read::Whole(HttpRequest {
        method: head.method.as_str().to_owned(),
        target,
        has_length: !head.headers.contains_key(hyper::header::TRANSFER_ENCODING),
        headers: headers.collect(),
        body,
    }))
}
