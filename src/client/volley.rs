//! Volleys: several requests whose ends leave together.
//!
//! Connections are open and all but the last byte of every request is with the server beforehand; then the
//! last bytes are written without a pause ([`salvo`]), and the answers are heard side by side.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::wire::{Connection, Held, Kept};
use super::{Client, Exchange, Failure, Request, salvo};

/// The server's time to read what it was sent before the release.
const BREATH: Duration = Duration::from_millis(1);

/// A timer is this coarse; the rest of a gap is waited for turn by turn.
const COARSE: Duration = Duration::from_millis(2);

/// One request of a volley.
#[derive(Clone, Debug)]
pub struct Shot {
    /// What is sent.
    pub request: Request,
    /// How much later than the first it is released.
    pub after: Duration,
}

/// What came of a volley.
#[derive(Clone, Debug)]
pub struct Volley {
    /// In the order of the shots.
    pub exchanges: Vec<Exchange>,
    /// Whether every request was sent whole before anything of an answer had come.
    pub overlapped: bool,
}

/// A shot that is ready.
pub(super) struct Ready {
    index: usize,
    after: Duration,
    pub(super) connection: Connection,
    pub(super) held: Held,
}

/// Exchanges by the index of their shot, and connections to keep.
struct Heard {
    exchanges: Vec<Option<Exchange>>,
    /// What was to be sent, for an exchange that nobody could hear.
    requests: Vec<Arc<Request>>,
    hearers: JoinSet<(usize, Connection, Exchange)>,
}

impl Client {
    /// Sends every shot once, their last bytes together. Nothing is retried.
    pub async fn volley(&self, shots: Vec<Shot>, kept: Kept) -> Volley {
        let count = shots.len();
        let mut heard = Heard { exchanges: vec![None; count], requests: Vec::new(), hearers: JoinSet::new() };
        let mut ready = self.make_ready(shots, kept, &mut heard).await;
        // A later shot is released later; those of one moment in the order of the shots.
        ready.sort_by_key(|shot| (shot.after, shot.index));
        let complete = ready.len() == count;
        tokio::time::sleep(BREATH).await;
        let alone = release(ready, &mut heard).await;
        while let Some(done) = heard.hearers.join_next().await {
            // A task that panicked has said so; its exchange counts as one that nobody heard.
            let Ok((index, connection, exchange)) = done else { continue };
            heard.exchanges[index] = Some(exchange);
            self.keep(connection);
        }
        let unheard = |request: &Arc<Request>| Exchange::unsent(Arc::clone(request), Failure::Other);
        let exchanges = heard.exchanges.into_iter().zip(&heard.requests);
        let exchanges: Vec<Exchange> =
            exchanges.map(|(exchange, request)| exchange.unwrap_or_else(|| unheard(request))).collect();
        let overlapped = complete && alone && is_overlapping(&exchanges);
        Volley { exchanges, overlapped }
    }

    async fn make_ready(&self, shots: Vec<Shot>, kept: Kept, heard: &mut Heard) -> Vec<Ready> {
        let mut connected = Vec::with_capacity(shots.len());
        for (index, Shot { request, after }) in shots.into_iter().enumerate() {
            let request = Arc::new(request);
            heard.requests.push(Arc::clone(&request));
            let connection = match self.door.guard.turn().await {
                Ok(()) => self.connection().await,
                Err(failure) => Err(failure),
            };
            match connection {
                Ok(connection) => connected.push((index, after, connection, request)),
                Err(failure) => heard.exchanges[index] = Some(Exchange::unsent(request, failure)),
            }
        }
        let mut ready = Vec::with_capacity(connected.len());
        for (index, after, mut connection, request) in connected {
            match connection.hold(request, kept).await {
                Ok(held) => ready.push(Ready { index, after, connection, held }),
                Err(exchange) => heard.exchanges[index] = Some(exchange),
            }
        }
        ready
    }
}

/// Releases the shots at their times, and has each heard as soon as those of its moment are out. Whether nothing
/// had come when the last was out.
async fn release(ready: Vec<Ready>, heard: &mut Heard) -> bool {
    let start = Instant::now();
    let mut alone = true;
    let mut waiting = ready.into_iter().peekable();
    while let Some(after) = waiting.peek().map(|shot| shot.after) {
        until(start + after).await;
        let shots: Vec<Ready> = std::iter::from_fn(|| waiting.next_if(|shot| shot.after == after)).collect();
        let (salvo, was_alone) = salvo::release(shots).await;
        alone &= was_alone;
        for (Ready { index, mut connection, held, .. }, released_at) in salvo {
            heard.hearers.spawn(async move {
                let exchange = connection.hear_out(held, released_at).await;
                (index, connection, exchange)
            });
        }
    }
    alone
}

async fn until(due: Instant) {
    if let Some(coarse) = due.checked_sub(COARSE)
        && coarse > Instant::now()
    {
        tokio::time::sleep_until(coarse.into()).await;
    }
    while Instant::now() < due {
        tokio::task::yield_now().await;
    }
}

/// Whether the last release lies before the first byte of any answer.
fn is_overlapping(exchanges: &[Exchange]) -> bool {
    let released: Option<Vec<Instant>> =
        exchanges.iter().map(|exchange| exchange.times.released_at).collect();
    let Some(last) = released.and_then(|released| released.into_iter().max()) else { return false };
    let answered = |exchange: &Exchange| {
        let heard_at = exchange.times.first_byte_at;
        match &exchange.result {
            Ok(_) => heard_at,
            // Nothing was heard for as long as anybody listened.
            Err(Failure::ResponseTimeout) => heard_at.or(Some(exchange.times.done_at)),
            Err(_) => Some(heard_at.unwrap_or(exchange.times.done_at)),
        }
    };
    exchanges.iter().all(|exchange| answered(exchange).is_some_and(|at| at > last))
}
