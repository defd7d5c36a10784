//! One trial: a mock, a client in front of it, and the checks between them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::chain::Identity;
use crate::chain::source::Source;
use crate::client::guard::Guard;
use crate::client::side::Control;
use crate::client::{Client, Target};
use crate::conformance::{self, Ground, Outcome};
use crate::dialect::Dialect;
use crate::mock::{Controller, MockOptions, MockServer};
use crate::results::event::{Narrator, Stop};
use crate::secret::FingerprintKey;
use crate::suite::Suite;
use crate::suite::environment::MockSpec;
use crate::suite::policy::Policy;

use super::{CannotProve, Options};

/// A mock to be tried, and the two copies of the dialect table.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    /// What is different about it.
    pub(super) what: String,
    /// How the mock behaves.
    pub(super) spec: MockSpec,
    /// What the suite is told that it promises; `None` for what it says itself.
    pub(super) promised: Option<Policy>,
    /// The table that the mock reads.
    pub(super) mock_table: Dialect,
    /// The table that the client reads.
    pub(super) client_table: Dialect,
}

/// Runs the checks of the suite against the mock of `trial`.
pub(super) async fn run(options: &Options, trial: &Trial) -> Result<Outcome, CannotProve> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mock = MockServer::start(MockOptions {
        spec: trial.spec.clone(),
        dialect: trial.mock_table.clone(),
        listen: any,
        control: any,
        controller: Controller::Endpoint,
        threads: 1,
    })
    .map_err(|error| CannotProve(error.to_string()))?;
    let ground = ground(options, trial, &mock)?;
    Ok(conformance::run(&ground, &[], &Narrator::silent(), &Stop::default()).await)
}

/// The suite, with the policy that fits the mock where it is another than the suite's own.
fn suite(options: &Options, trial: &Trial) -> Arc<Suite> {
    match &trial.promised {
        None => options.suite.clone(),
        Some(policy) => Arc::new(Suite { policy: policy.clone(), ..(*options.suite).clone() }),
    }
}

fn ground(options: &Options, trial: &Trial, mock: &MockServer) -> Result<Ground, CannotProve> {
    let dialect = Arc::new(trial.client_table.clone());
    let url = |text: String| url::Url::parse(&text).expect("the mock's own address is one");
    let target = Target {
        url: url(mock.url()),
        connect_timeout: Duration::from_secs(5),
        timeout: options.environment.timeout,
        body_max: 8 << 20,
    };
    let client = Client::new(target, Guard::exempt()).map_err(|error| CannotProve(error.to_string()))?;
    let client = Arc::new(client);
    let identities = mock
        .identities()
        .into_iter()
        .map(|(name, slots)| Arc::new(Identity { name, slots: slots.into_iter().collect() }))
        .collect();
    Ok(Ground {
        suite: suite(options, trial),
        environment: options.environment.clone(),
        source: Arc::new(Source::login(client.clone(), dialect.clone())),
        dialect,
        client,
        identities,
        control: Some(Control::new(url(mock.control_url()))),
        variables: IndexMap::new(),
        is_mock: true,
        key: FingerprintKey::new(trial.spec.seed, 1),
        seed: trial.spec.seed,
        full: options.full,
        consent: true,
        again: "assay check --only ".to_owned(),
        today: jiff::Zoned::now().date(),
    })
}
