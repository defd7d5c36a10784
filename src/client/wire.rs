//! HTTP/1.1 over TCP and TLS: connections, and one exchange at a time on each.

use std::time::{Duration, Instant};

use super::{Answer, Exchange, Failure, Request};

/// One connection; closed by the first failure or by either side's wish.
#[derive(Debug)]
pub struct Connection {}

impl Connection {
    /// Sends `request` once and reads its answer.
    pub async fn send(&mut self, request: Request) -> Exchange {
        let _ = request;
        todo!()
    }

    /// The hot path: writes `bytes` (a whole request, head and body) once and reads the answer into `answer`,
    /// whose buffers are used again. Moments: just before the write, and after the last byte.
    pub async fn exchange(
        &mut self,
        bytes: &[u8],
        timeout: Duration,
        answer: &mut Answer,
    ) -> (Instant, Instant, Result<(), Failure>) {
        let _ = (bytes, timeout, answer);
        todo!()
    }

    /// Whether another exchange may be started here: open, nothing left over, no close announced or pending.
    pub fn is_open(&mut self) -> bool {
        todo!()
    }
}
