//! One trial: a mock, perhaps a proxy before it, a client, and the checks between them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::chain::Identity;
use crate::chain::source::Source;
use crate::client::guard::Guard;
use crate::client::side::Control;
use crate::client::tls::Roots;
use crate::client::{Client, Target};
use crate::conformance::{self, Ground, Outcome, Sought};
use crate::dialect::Dialect;
use crate::mock::{Controller, MockOptions, MockServer};
use crate::results::event::{Narrator, Stop};
use crate::secret::FingerprintKey;
use crate::suite::Suite;
use crate::suite::environment::{Environment, MockSpec};

use super::CannotProve;
use super::proxy::{Mutation, Proxy};

/// A mock to be tried, and who tries it.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    /// What is different about it.
    pub(super) what: String,
    /// The suite, with the policy that fits the mock.
    pub(super) suite: Arc<Suite>,
    /// The environment.
    pub(super) environment: Arc<Environment>,
    /// How the mock behaves.
    pub(super) spec: MockSpec,
    /// The table that the mock reads.
    pub(super) mock_table: Arc<Dialect>,
    /// The table that the client reads.
    pub(super) client_table: Arc<Dialect>,
    /// Whether the mock is behind TLS.
    pub(super) secure: bool,
    /// What a proxy spoils.
    pub(super) mutation: Option<Mutation>,
    /// The checks that run; all of them where it is empty.
    pub(super) only: Vec<String>,
    /// Checks that run as well where nothing of those is red.
    pub(super) or_else: Vec<String>,
    /// Their depth.
    pub(super) full: bool,
    /// The claims that are to fail, where nothing else is asked.
    pub(super) sought: Option<Sought>,
}

/// Runs the checks of a trial against its mock.
pub(super) async fn run(trial: &Trial) -> Result<Outcome, CannotProve> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let start = if trial.secure { MockServer::start_secure } else { MockServer::start };
    let mock = start(MockOptions {
        spec: trial.spec.clone(),
        dialect: (*trial.mock_table).clone(),
        listen: any,
        control: any,
        controller: Controller::Endpoint,
        threads: 1,
    })
    .map_err(|error| CannotProve(error.to_string()))?;
    let proxy = proxy(trial, &mock).await?;
    let url = proxy.as_ref().map_or_else(|| mock.url(), |proxy| format!("http://{}", proxy.address));
    let ground = ground(trial, &mock, &url)?;
    let mut outcome = conformance::run(&ground, &trial.only, &Narrator::silent(), &Stop::default()).await;
    if !trial.or_else.is_empty() && outcome.gate.is_none() && super::red(&outcome).is_empty() {
        let rest = conformance::run(&ground, &trial.or_else, &Narrator::silent(), &Stop::default()).await;
        outcome.checks.extend(rest.checks);
    }
    drop(proxy);
    // Its threads are waited for, which may not hold up the other trials.
    drop(tokio::task::spawn_blocking(move || drop(mock)).await);
    Ok(outcome)
}

async fn proxy(trial: &Trial, mock: &MockServer) -> Result<Option<Proxy>, CannotProve> {
    let Some(mutation) = trial.mutation.clone() else { return Ok(None) };
    let address = mock.url().trim_start_matches("http://").parse().expect("the mock's own address is one");
    let path = &trial.client_table.refresh().path;
    let proxy = Proxy::start(address, path, mutation).await;
    proxy.map(Some).map_err(|error| CannotProve(format!("the proxy cannot listen: {error}")))
}

fn ground(trial: &Trial, mock: &MockServer, address: &str) -> Result<Ground, CannotProve> {
    let dialect = Arc::clone(&trial.client_table);
    let url = |text: &str| url::Url::parse(text).expect("the mock's own address is one");
    let target = Target {
        url: url(address),
        connect_timeout: Duration::from_secs(5),
        timeout: trial.environment.timeout,
        body_max: 8 << 20,
    };
    let roots = mock.root().map_or(Roots::Platform, |root| Roots::Pem(root.as_bytes()));
    let client = Client::trusting(target, Guard::exempt(), roots);
    let client = client.map_err(|error| CannotProve(error.to_string()))?;
    let client = Arc::new(client);
    let identities = mock
        .identities()
        .into_iter()
        .map(|(name, slots)| Arc::new(Identity { name, slots: slots.into_iter().collect() }))
        .collect();
    Ok(Ground {
        suite: Arc::clone(&trial.suite),
        environment: Arc::clone(&trial.environment),
        source: Arc::new(Source::login(client.clone(), dialect.clone())),
        dialect,
        client,
        identities,
        control: Some(Control::new(url(&mock.control_url()))),
        public_key: mock.public_key(),
        variables: IndexMap::new(),
        is_mock: true,
        key: FingerprintKey::new(trial.spec.seed, 1),
        seed: trial.spec.seed,
        full: trial.full,
        consent: true,
        again: "assay check --only ".to_owned(),
        today: jiff::Zoned::now().date(),
        sought: trial.sought.clone(),
    })
}
