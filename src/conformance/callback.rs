//! The listener of `$callback`: whether the endpoint calls an address that a document names.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How long after the answer a call may still come.
const GRACE: Duration = Duration::from_millis(150);

/// A listener for one call; nobody is answered.
#[derive(Debug)]
pub(super) struct Callback {
    address: String,
    called: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Callback {
    /// Opens it at the address by which the endpoint reaches this machine, on the loopback interface where none is
    /// given; `None` where that cannot be listened on.
    pub async fn open(at: Option<SocketAddr>) -> Option<Callback> {
        let listener =
            TcpListener::bind(at.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))).await.ok()?;
        let address = format!("http://{}/", listener.local_addr().ok()?);
        let called = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&called);
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                seen.store(true, Ordering::Release);
                drop(connection);
            }
        });
        Some(Callback { address, called, task })
    }

    /// What to put into the document.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether anybody called, a little after the answer.
    pub async fn was_called(&self) -> bool {
        tokio::time::sleep(GRACE).await;
        self.called.load(Ordering::Acquire)
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_is_noticed() {
        let quiet = Callback::open(None).await.unwrap();
        assert!(!quiet.was_called().await);
        let address = quiet.address().trim_start_matches("http://").trim_end_matches('/').to_owned();
        drop(tokio::net::TcpStream::connect(address).await.unwrap());
        assert!(quiet.was_called().await);
    }
}
