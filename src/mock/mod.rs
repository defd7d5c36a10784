//! A token endpoint of our own: the other party.
//!
//! Reads and writes as ASP.NET Web API does ([`webapi`]), decides as an authority with a policy ([`authority`]),
//! can be wrong in named ways, and answers a control port. Shares with the client the dialect's names and
//! paths and nothing else. Start at [`MockServer::start`].

pub mod authority;
pub mod clock;
pub mod webapi;

mod alarm;
mod canned;
mod control;
mod controllers;
mod defects;
mod delays;
mod dress;
mod exchange;
mod front;
mod host;
mod latency;
mod oauth;
mod rivals;
mod server;
mod shared;
mod signing;
mod spoken;
mod strain;
mod stumbles;
mod throttle;
mod tokens;
mod weak;
mod wire;
mod written;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;

use crate::dialect::Dialect;
use crate::secret::Token;
use crate::suite::call::Slot;
use crate::suite::defect::Defect;
use crate::suite::environment::{MockPolicy, MockSpec, Variant};

use authority::{Authority, Kind, Roster, Rules, Scope};
use clock::Clock;
use controllers::Controllers;
use defects::{Home, Manner, Switches};
use front::Front;
use latency::Pace;
use oauth::OAuth;
use server::Workers;
use shared::{Application, Ledger, Shared};
use spoken::Spoken;
use webapi::quirks::Quirks;
use webapi::{Pipeline, echo};

/// A running mock; stops when dropped.
#[derive(Debug)]
pub struct MockServer {
    shared: Arc<Shared>,
    workers: Workers,
    /// What vouches for it, where it speaks TLS.
    root: Option<String>,
}

/// What is served.
#[derive(Clone, Debug)]
pub struct MockOptions {
    /// How it behaves.
    pub spec: MockSpec,
    /// How it speaks: the dialect's names and paths are its class declarations.
    pub dialect: Dialect,
    /// Where it listens; port 0 for any. Loopback only.
    pub listen: SocketAddr,
    /// Where its control port listens.
    pub control: SocketAddr,
    /// What stands behind the pipeline.
    pub controller: Controller,
    /// Worker threads.
    pub threads: usize,
}

/// What stands behind the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// The endpoint of the dialect.
    Endpoint,
    /// The echo controller of the golden vectors: it answers what was bound.
    Echo,
    /// The same, with a negotiator that refuses unmatched types (the vectors named `406 …`).
    EchoNotAcceptable,
    /// The same as [`Controller::Echo`], with details in error documents (the vectors named `… detail`).
    EchoDetailed,
}

/// What the mock counted, refreshes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct MockLedger {
    /// Requests to the refresh operation whose head was read.
    pub requests: u64,
    /// Granted.
    pub granted: u64,
    /// Everything else that was answered.
    pub refused: u64,
}

/// Why it cannot start.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// The port cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The address is not on the loopback interface.
    #[error("{0} is not a loopback address: the mock listens on 127.0.0.1 only")]
    NotLoopback(SocketAddr),
    /// The mock cannot speak this dialect.
    #[error("the mock does not speak `{0}`")]
    Dialect(String),
}

impl MockServer {
    /// Starts it on threads of its own.
    pub fn start(options: MockOptions) -> Result<MockServer, MockError> {
        MockServer::begin(options, false)
    }

    /// The same behind TLS, by a certificate that [`MockServer::root`] vouches for.
    pub fn start_secure(options: MockOptions) -> Result<MockServer, MockError> {
        MockServer::begin(options, true)
    }

    fn begin(options: MockOptions, secure: bool) -> Result<MockServer, MockError> {
        for address in [options.listen, options.control] {
            if !address.ip().is_loopback() {
                return Err(MockError::NotLoopback(address));
            }
        }
        let (listen, control, threads) = (options.listen, options.control, options.threads);
        let shared = Arc::new(shared(options)?);
        let (front, root) = secure.then(|| Front::new(shared.switches)).unzip();
        let workers = Workers::start(&shared, listen, control, threads, front)?;
        Ok(MockServer { shared, workers, root })
    }

    /// `http://127.0.0.1:PORT`, or `https:` behind TLS.
    pub fn url(&self) -> String {
        let scheme = if self.root.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.workers.address)
    }

    /// What vouches for it, as PEM, where it speaks TLS.
    pub fn root(&self) -> Option<&str> {
        self.root.as_deref()
    }

    /// The control port's address.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.workers.control)
    }

    /// What it counted so far.
    pub fn ledger(&self) -> MockLedger {
        self.shared.ledger.read()
    }

    /// The public key of its access tokens as PEM, where they are signed with a pair of keys.
    pub fn public_key(&self) -> Option<String> {
        self.shared.authority.public_key()
    }

    /// Its identities: name and slots.
    pub fn identities(&self) -> Vec<(String, Vec<(Slot, Token)>)> {
        self.shared.identities()
    }

    /// Ready-to-use pairs: slots of one refresh call each.
    pub fn seeds(&self, count: usize) -> Vec<Vec<(Slot, Token)>> {
        let authority = &self.shared.authority;
        let scope = match authority.roster.kind {
            Kind::Tenants => Scope::ALL,
            Kind::Clients => oauth::usual_scope(),
        };
        let seed = |account: usize| {
            let party = authority.roster.accounts[account].party;
            let pair = authority.login(account, party, scope, self.shared.clock.now());
            let mut slots = self.shared.slots(account);
            slots.extend([(Slot::Refresh, pair.refresh), (Slot::Access, pair.access)]);
            slots
        };
        (0..authority.roster.accounts.len()).cycle().take(count).map(seed).collect()
    }
}

/// Whether the mock of a dialect can be wrong in this way at all.
pub fn can_have(dialect: &Dialect, defect: Defect) -> bool {
    defects::is_possible(defect, dialect)
}

/// Whether the switch means something at the mock of a dialect: the words of OAuth 2.0 the RFC has fixed, and those
/// of other dialects their own table.
pub fn can_vary(dialect: &Dialect, variant: Variant) -> bool {
    Manner::of(dialect) == Manner::WebApi || !defects::is_of_webapi(variant)
}

/// Whether the mocks of two dialects would have a defect in the very same code: one endpoint of OAuth 2.0 serves all of
/// its dialects, and one authority and one host lie beneath all that are spoken by their table.
pub fn share(one: &Dialect, other: &Dialect, defect: Defect) -> bool {
    match (Manner::of(one), Manner::of(other)) {
        (Manner::OAuth, Manner::OAuth) | (Manner::WebApi, Manner::WebApi) => true,
        (Manner::Table, Manner::Table) => !spoken::DEFECTS.contains(&defect),
        (Manner::WebApi | Manner::OAuth | Manner::Table, _) => false,
    }
}

/// Whether the mock speaks a dialect as ASP.NET Web API would, with all that this framework has of its own.
pub fn is_web_api(dialect: &Dialect) -> bool {
    Manner::of(dialect) == Manner::WebApi
}

/// Everything behind the sockets.
fn shared(options: MockOptions) -> Result<Shared, MockError> {
    let MockOptions { spec, dialect, controller, .. } = options;
    let switches = Switches::of(&spec);
    let clock = Arc::new(Clock::start());
    let manner = Manner::of(&dialect);
    let has_clients = match manner {
        Manner::WebApi => false,
        Manner::OAuth => true,
        Manner::Table => spoken::has_clients(&dialect),
    };
    let roster = if has_clients { Roster::clients(spec.seed) } else { Roster::tenants(spec.seed) };
    let ruled = MockSpec { policy: oauth::kept_policy(spec.policy, switches), ..spec.clone() };
    let authority = Arc::new(Authority::new(roster, Rules::of(&ruled), switches, spec.seed));
    let unspoken = || MockError::Dialect(dialect.name.clone());
    let application = match controller {
        Controller::Echo | Controller::EchoNotAcceptable | Controller::EchoDetailed => {
            echo_application(&spec, controller)
        }
        Controller::Endpoint if manner == Manner::OAuth => Application::OAuth(Box::new(
            OAuth::new(&dialect, Arc::clone(&authority), Arc::clone(&clock), switches, spec.seed)
                .ok_or_else(unspoken)?,
        )),
        Controller::Endpoint if manner == Manner::Table => Application::Spoken(Box::new(
            Spoken::new(&dialect, Arc::clone(&authority), Arc::clone(&clock), switches)
                .ok_or_else(unspoken)?,
        )),
        Controller::Endpoint => {
            let owned = (Arc::clone(&authority), Arc::clone(&clock));
            let controllers =
                Controllers::new(&dialect, owned.0, owned.1, switches, spec.seed).ok_or_else(unspoken)?;
            let pipeline = Pipeline::new(spec.webapi, controllers.actions(), quirks(&spec, &[]));
            let refresh = dialect.refresh().path.trim_end_matches('/').to_owned();
            Application::WebApi { pipeline, controllers: Box::new(controllers), refresh }
        }
    };
    Ok(Shared {
        application,
        host: host::Host::new(switches, &authority.roster),
        authority,
        clock,
        strain: strain::Strain::new(switches),
        pace: Pace::new(spec.latency, spec.stall, spec.seed)
            .with_workers(spec.workers)
            .with_errors(spec.errors),
        delays: delays::Delays::default(),
        ledger: Ledger::default(),
        rivals: rivals::Rivals::of(switches),
        switches,
        policy: policy_word(spec.policy),
        password: match manner {
            Manner::WebApi => Slot::Code,
            Manner::OAuth => oauth::password_slot(&dialect),
            Manner::Table => spoken::password_slot(&dialect),
        },
        slots: dialect.slots.clone(),
        dialect: dialect.name,
        epoch: watch::Sender::new(0),
        poison: std::sync::atomic::AtomicU64::new(0),
        shadow: std::sync::atomic::AtomicBool::new(false),
        weariness: stumbles::Weariness::default(),
    })
}

fn echo_application(spec: &MockSpec, controller: Controller) -> Application {
    let refuses =
        if controller == Controller::EchoNotAcceptable { &[Variant::NotAcceptable][..] } else { &[] };
    let mut pipeline = Pipeline::new(spec.webapi, echo::actions(), quirks(spec, refuses));
    pipeline.details = controller == Controller::EchoDetailed;
    Application::Echo { pipeline }
}

/// The pipeline's share of what is switched on.
fn quirks(spec: &MockSpec, more: &[Variant]) -> Quirks {
    let own = |defect: &Defect| defects::home(*defect) == Home::Pipeline;
    let variants = spec.variants.iter().chain(more).copied();
    let variants: Vec<Variant> =
        variants.filter(|variant| defects::variant_home(*variant) == Home::Pipeline).collect();
    let defects: Vec<Defect> = spec.defects.iter().copied().filter(own).collect();
    Quirks::new(&defects, &variants)
}

fn policy_word(policy: MockPolicy) -> &'static str {
    MockPolicy::ALL.iter().find(|(own, _)| *own == policy).map_or("", |(_, word)| word)
}

/// The token of `Bearer …`.
fn bearer_token(header: &[u8]) -> Option<String> {
    let (scheme, token) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}
