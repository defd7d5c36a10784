//! Where the server as a whole stumbles: it hangs for a while, answers too late, or not what was asked.
//!
//! Every hang has an end, and none holds a thread.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::HeaderMap;
use hyper::header::EXPECT;

use crate::suite::defect::Defect;

use super::defects::Switches;
use super::webapi::{HttpRequest, HttpResponse};

/// Long enough to be seen.
const HANG: Duration = Duration::from_secs(6);

/// A request that comes so soon after an answer came with the one before it.
const TOGETHER: Duration = Duration::from_millis(5);

/// A value of this size leaves so many slow answers behind.
const BIG: usize = 1_000_000;
const SLOW_ANSWERS: u32 = 2;

/// Brackets of a very deep document, and more headers than are usual.
const VERY_DEEP: usize = 15_000;
const MANY: usize = 60;

/// A pause of this length within a body.
const PAUSE: Duration = Duration::from_millis(15);

/// What the whole server remembers.
#[derive(Debug, Default)]
pub(super) struct Weariness {
    slow: AtomicU32,
}

/// What one connection remembers.
#[derive(Debug)]
pub(super) struct Stumbles {
    switches: Switches,
    last: Mutex<Option<(Instant, HttpResponse)>>,
}

impl Stumbles {
    /// Nothing has happened yet.
    pub fn of(switches: Switches) -> Stumbles {
        Stumbles { switches, last: Mutex::new(None) }
    }

    /// Before the body is read.
    pub async fn before(&self, headers: &HeaderMap) {
        if self.switches.has(Defect::ExpectHang) && headers.contains_key(EXPECT) {
            tokio::time::sleep(HANG).await;
        }
    }

    /// After a piece of the body that was waited for.
    pub async fn after_piece(&self, waited: Duration) {
        if self.switches.has(Defect::SlowBodyHang) && waited > PAUSE {
            tokio::time::sleep(HANG).await;
        }
    }

    /// The answer to an earlier request in the place of this one's own.
    pub async fn instead(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let (lost, repeated) =
            (self.switches.has(Defect::PipelinedLost), self.switches.has(Defect::PipelinedRepeated));
        if !(lost || repeated) || !request.body.is_empty() {
            return None;
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (at, response) = last.filter(|(at, _)| at.elapsed() < TOGETHER)?;
        if lost {
            tokio::time::sleep(HANG + at.elapsed()).await;
            return None;
        }
        Some(response)
    }

    /// Whether a request is one that this server does not get over.
    fn is_stuck(&self, request: &HttpRequest) -> bool {
        let body = request.body.as_slice();
        let ends_early = || body.starts_with(b"{") && body.trim_ascii_end().last() != Some(&b'}');
        self.switches.has(Defect::DeepHang) && body.len() > VERY_DEEP && body.starts_with(b"[[")
            || self.switches.has(Defect::TruncatedHang) && ends_early()
            || self.switches.has(Defect::ManyHeadersHang) && request.headers.len() > MANY
    }

    /// Before the answer leaves.
    pub async fn after(&self, weariness: &Weariness, request: &HttpRequest, response: &HttpResponse) {
        if self.switches.has(Defect::PipelinedLost) || self.switches.has(Defect::PipelinedRepeated) {
            let remembered = Some((Instant::now(), response.clone()));
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = remembered;
        }
        if self.is_stuck(request) {
            tokio::time::sleep(HANG).await;
        }
        if !self.switches.has(Defect::BigFieldSlow) {
            return;
        }
        if request.body.len() > BIG {
            weariness.slow.store(SLOW_ANSWERS, Ordering::Relaxed);
        } else if weariness
            .slow
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
            .is_ok()
        {
            tokio::time::sleep(HANG).await;
        }
    }
}
