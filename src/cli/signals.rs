//! Ctrl-C and SIGTERM: the first asks everyone to stop and reports are still written, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::runtime::Runtime;

use crate::results::event::Stop;

/// Which signal came, if one did.
#[derive(Clone, Debug)]
pub struct Signal(Arc<AtomicU8>);

impl Signal {
    /// 130 for an interrupt, 143 for a termination.
    pub fn code(&self) -> Option<u8> {
        Some(self.0.load(Ordering::Acquire)).filter(|code| *code != 0)
    }
}

/// Listens on `runtime` for as long as it lives.
pub fn listen(runtime: &Runtime, stop: Stop) -> Signal {
    let signal = Signal(Arc::new(AtomicU8::new(0)));
    let heard = signal.clone();
    runtime.spawn(async move {
        heard.0.store(next().await, Ordering::Release);
        stop.ask();
        let code = next().await;
        at_once(code);
    });
    signal
}

#[cfg(unix)]
async fn next() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => 130,
        _ = terminate.recv() => 143,
    }
}

#[cfg(not(unix))]
async fn next() -> u8 {
    drop(tokio::signal::ctrl_c().await);
    130
}

#[expect(clippy::exit, clippy::disallowed_methods, reason = "a second signal means now")]
fn at_once(code: u8) {
    std::process::exit(i32::from(code));
}
