//! From a plan to something to talk to: the mock started or found, the door, the chains, the identities.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use url::Url;
use zeroize::Zeroizing;

use crate::chain::Identity;
use crate::chain::source::Source;
use crate::client::guard::Guard;
use crate::client::side::Control;
use crate::client::transport::{Identity as Own, Proxy, Transport};
use crate::client::{Client, Target as Dialed};
use crate::mock::{Controller, MockOptions, MockServer};
use crate::results::TargetKind;
use crate::secret::Token;
use crate::suite::call::{Operation, Slot, Template};
use crate::suite::environment::{ChainSource, Environment, MockSpec, Target};

use super::pairs;
use super::plan::{Chosen, RunPlan};
use super::variables;

/// Bytes of an answer's body, at most.
const BODY_MAX: usize = 8 << 20;

/// Chains that a mock begins with where nobody can log in.
const SEEDS: usize = 6000;

/// Everything that a run talks to.
#[derive(Debug)]
pub struct Ready {
    /// The embedded mock; it stops when this goes.
    #[expect(dead_code, reason = "held for as long as the run talks to it")]
    pub mock: Option<MockServer>,
    /// The door.
    pub client: Arc<Client>,
    /// Where chains come from.
    pub source: Arc<Source>,
    /// Who asks.
    pub identities: Vec<Arc<Identity>>,
    /// The control port, where there is one.
    pub control: Option<Control>,
    /// The public key that tokens are signed with, as PEM, where it is known.
    pub public_key: Option<String>,
    /// What stands there.
    pub kind: TargetKind,
    /// The address of the refresh operation.
    pub url: String,
    /// For a mock: how it behaves, as one line.
    pub mock_line: Option<String>,
}

/// Why a run could not begin, as a sentence.
#[derive(Debug)]
pub struct CannotRun(pub String);

impl CannotRun {
    fn because(error: impl std::fmt::Display) -> CannotRun {
        CannotRun(error.to_string())
    }
}

/// Makes the target of `plan` ready.
pub async fn prepare(plan: &RunPlan) -> Result<Ready, CannotRun> {
    let environment = &plan.chosen.environment;
    match &environment.target {
        Target::Mock(spec) => embedded(plan, spec),
        Target::RunningMock { url, control } => running(plan, url, control).await,
        Target::Url(url) => endpoint(plan, url),
    }
}

fn embedded(plan: &RunPlan, spec: &MockSpec) -> Result<Ready, CannotRun> {
    let spec = MockSpec { seed: plan.seed, ..spec.clone() };
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mock = MockServer::start(MockOptions {
        spec: spec.clone(),
        dialect: (*plan.chosen.dialect).clone(),
        listen: any,
        control: any,
        controller: Controller::Endpoint,
        threads: 1,
    })
    .map_err(CannotRun::because)?;
    let base = address(&mock.url())?;
    let control = Control::new(address(&mock.control_url())?);
    let identities = identities(mock.identities());
    let client = client(plan, base.clone(), Guard::exempt())?;
    let has_login = plan.chosen.dialect.operation(Operation::Login).is_some();
    let source = if plan.chosen.environment.chains == ChainSource::Login && !has_login {
        seeded(&mock, &identities)?
    } else {
        source(plan, &client, &identities)?
    };
    Ok(Ready {
        client,
        source,
        identities,
        control: Some(control),
        public_key: mock.public_key(),
        kind: TargetKind::EmbeddedMock,
        url: refresh_address(&plan.chosen, &base),
        mock_line: Some(describe(&spec)),
        mock: Some(mock),
    })
}

/// Chains of a mock whose dialect has no login: it hands them out itself.
fn seeded(mock: &MockServer, identities: &[Arc<Identity>]) -> Result<Arc<Source>, CannotRun> {
    let seeds = mock.seeds(SEEDS).into_iter().zip(identities.iter().cycle());
    let lines: Vec<String> = seeds
        .map(|(slots, identity)| {
            let tokens = slots.iter().filter(|(slot, _)| matches!(slot, Slot::Refresh | Slot::Access));
            let mut line: serde_json::Map<String, serde_json::Value> =
                tokens.map(|(slot, token)| (slot.word().to_owned(), token.expose().into())).collect();
            line.insert("identity".to_owned(), identity.name.clone().into());
            serde_json::Value::Object(line).to_string()
        })
        .collect();
    Source::pairs(&lines.join("\n"), identities, "the mock").map(Arc::new).map_err(CannotRun)
}

async fn running(plan: &RunPlan, url: &Template, control: &Template) -> Result<Ready, CannotRun> {
    let base = address(variables::fill(url, &plan.variables).expose())?;
    let control = Control::new(address(variables::fill(control, &plan.variables).expose())?);
    let nonce = format!("{:016x}", plan.seed ^ 0x5eed_ca5e);
    if !control.answers(&nonce).await.map_err(|error| no_mock(&base, &error))? {
        return Err(CannotRun(format!(
            "what listens at {base} is not a mock of ours: it needs `url` and `guard`"
        )));
    }
    let identities = identities(control.identities().await.map_err(CannotRun::because)?);
    let client = client(plan, base.clone(), Guard::exempt())?;
    let source = source(plan, &client, &identities)?;
    Ok(Ready {
        mock: None,
        client,
        source,
        identities,
        control: Some(control),
        public_key: public_key(&plan.chosen.environment)?,
        kind: TargetKind::RunningMock,
        url: refresh_address(&plan.chosen, &base),
        mock_line: None,
    })
}

fn no_mock(base: &Url, error: &impl std::fmt::Display) -> CannotRun {
    CannotRun(format!(
        "no mock answers for {base} ({error}): start one with `assay mock --port {}`",
        base.port().unwrap_or(7070)
    ))
}

fn endpoint(plan: &RunPlan, url: &Template) -> Result<Ready, CannotRun> {
    let environment = &plan.chosen.environment;
    let base = stripped(&plan.chosen, address(variables::fill(url, &plan.variables).expose())?);
    let rules = environment.guard.as_ref().expect("the plan requires a guard for every address");
    let identities = configured(environment, &plan.variables);
    let client = client(plan, base.clone(), Guard::by(rules))?;
    let source = source(plan, &client, &identities)?;
    Ok(Ready {
        mock: None,
        client,
        source,
        identities,
        control: None,
        public_key: public_key(environment)?,
        kind: TargetKind::Endpoint,
        url: refresh_address(&plan.chosen, &base),
        mock_line: None,
    })
}

fn public_key(environment: &Environment) -> Result<Option<String>, CannotRun> {
    let Some(path) = &environment.public_key else { return Ok(None) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| CannotRun(format!("cannot read the public key in `{path}`: {error}")))?;
    if !text.contains("-----BEGIN") || text.contains("PRIVATE KEY") {
        return Err(CannotRun(format!("`{path}` holds no public key as PEM")));
    }
    Ok(Some(text))
}

fn address(text: &str) -> Result<Url, CannotRun> {
    let url = Url::parse(text).map_err(|error| CannotRun(format!("`{text}` is not an address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(CannotRun(format!("`{text}` is not an http or https address")));
    }
    Ok(url)
}

/// People paste the address of the operation where that of the host is meant; both are understood.
fn stripped(chosen: &Chosen, mut url: Url) -> Url {
    let path = chosen.dialect.refresh().path.to_ascii_lowercase();
    let given = url.path().trim_end_matches('/').to_owned();
    if given.to_ascii_lowercase().ends_with(&path) {
        url.set_path(&given[..given.len() - path.len()]);
    }
    url
}

fn refresh_address(chosen: &Chosen, base: &Url) -> String {
    format!("{}{}", base.as_str().trim_end_matches('/'), chosen.dialect.refresh().path)
}

fn client(plan: &RunPlan, url: Url, guard: Guard) -> Result<Arc<Client>, CannotRun> {
    let timeout = plan.chosen.environment.timeout;
    let dialed =
        Dialed { url, connect_timeout: timeout.min(Duration::from_secs(10)), timeout, body_max: BODY_MAX };
    let transport = transport(&plan.chosen.environment, &plan.variables)?;
    Client::by(dialed, guard, transport).map(Arc::new).map_err(CannotRun::because)
}

/// How the environment is reached, with the files of it read.
fn transport(environment: &Environment, values: &IndexMap<String, Token>) -> Result<Transport, CannotRun> {
    let said = &environment.transport;
    let read = |what: &str, path: &Option<String>| {
        let Some(path) = path else { return Ok(None) };
        let bytes = std::fs::read(path);
        bytes.map(Some).map_err(|error| CannotRun(format!("cannot read the {what} in `{path}`: {error}")))
    };
    let certificate = read("client's certificate", &said.tls.certificate)?;
    let key = read("key of the client's certificate", &said.tls.key)?.map(Zeroizing::new);
    let proxy = said.proxy.as_ref().map(|proxy| Proxy::read(variables::fill(proxy, values).expose()));
    Ok(Transport {
        http: said.http,
        roots: read("trusted certificates", &said.tls.ca)?,
        identity: certificate.zip(key).map(|(certificate, key)| Own { certificate, key }),
        min: said.tls.min,
        max: said.tls.max,
        name: said.tls.name.clone(),
        addresses: said.addresses.clone(),
        proxy: proxy.transpose().map_err(CannotRun::because)?,
        bind: said.bind,
        family: said.family,
    })
}

fn source(
    plan: &RunPlan,
    client: &Arc<Client>,
    identities: &[Arc<Identity>],
) -> Result<Arc<Source>, CannotRun> {
    match &plan.chosen.environment.chains {
        ChainSource::Login if plan.chosen.dialect.operation(Operation::Login).is_none() => Err(CannotRun(
            "this dialect has no login: say where chains come from with `chains: { file: PATH }`, `{ env: NAME }` or \
             `{ exec: COMMAND }`"
                .to_owned(),
        )),
        ChainSource::Login => Ok(Arc::new(Source::login(client.clone(), plan.chosen.dialect.clone()))),
        from => {
            let source = pairs::read(from, identities).map_err(CannotRun)?;
            pairs::tell(plan, &source);
            Ok(Arc::new(source))
        }
    }
}

fn identities(found: Vec<(String, Vec<(Slot, Token)>)>) -> Vec<Arc<Identity>> {
    found
        .into_iter()
        .map(|(name, slots)| Arc::new(Identity { name, slots: slots.into_iter().collect() }))
        .collect()
}

fn configured(environment: &Environment, values: &IndexMap<String, Token>) -> Vec<Arc<Identity>> {
    environment
        .identities
        .iter()
        .map(|(name, identity)| {
            let slots = identity.slots.iter().map(|(slot, value)| (*slot, variables::fill(value, values)));
            Arc::new(Identity { name: name.clone(), slots: slots.collect() })
        })
        .collect()
}

fn describe(spec: &MockSpec) -> String {
    let policy = crate::suite::environment::MockPolicy::ALL
        .iter()
        .find(|(policy, _)| *policy == spec.policy)
        .map_or("", |(_, word)| *word);
    let generation = match spec.webapi {
        crate::suite::environment::Generation::One => 1,
        crate::suite::environment::Generation::Two => 2,
    };
    let mut line = format!("policy {policy}, Web API {generation}");
    for defect in &spec.defects {
        line.push_str(", defect ");
        line.push_str(defect.word());
    }
    line
}
