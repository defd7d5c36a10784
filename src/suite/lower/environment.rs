//! Environments: what stands there, who calls, and what a run may do.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use indexmap::IndexMap;

use super::super::call::{Operation, Part, Reference, Template};
use super::super::defect::Defect;
use super::super::environment::{
    ChainSource, Environment, Generation, Guard, Identity, MockLatency, MockLifetimes, MockPolicy, MockSpec,
    Stall, Target, Variant,
};
use super::super::written::{self, Word};
use super::super::yaml::Spanned;
use super::call::is_secret;
use super::notes::{Notes, shown};
use super::reference::{Scope, slot, template};
use super::transport::transport;
use super::vocabulary;

const TIMEOUT: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(5);

/// All environments, in the order of the file.
pub(super) fn environments(
    written: &Spanned<IndexMap<String, Spanned<written::Environment>>>,
    notes: &mut Notes<'_>,
) -> IndexMap<String, Environment> {
    if written.value.is_empty() {
        let message = "there is nothing to run against";
        notes.error(
            "suite::missing-key",
            written.key,
            message,
            "write one environment, such as `mock: { mock: {} }`",
        );
    }
    let each = written.value.iter();
    each.map(|(name, environment)| (name.clone(), lower(name, environment, notes))).collect()
}

fn lower(name: &str, written: &Spanned<written::Environment>, notes: &mut Notes<'_>) -> Environment {
    let environment = &written.value;
    let target = target(name, written, notes);
    let identities = environment.identities.iter();
    let identities = identities.map(|(name, slots)| (name.clone(), identity(slots, notes))).collect();
    let operations = [(Operation::Probe, "probe"), (Operation::Revoke, "revoke")];
    let mut offers = Vec::new();
    for word in &environment.offers {
        offers.extend(notes.word("operation that can be offered", &word.value, word.span, &operations));
    }
    Environment {
        name: name.to_owned(),
        target,
        identities,
        chains: environment.chains.as_ref().map_or(ChainSource::Login, |chains| source(chains, notes)),
        guard: environment.guard.as_ref().map(|written| guard(written, notes)),
        offers,
        public_key: environment.public_key.as_ref().map(|path| path.value.clone()),
        callback: environment.callback.as_ref().and_then(|word| callback(word, notes)),
        patience: notes.duration_or(environment.patience.as_ref(), PATIENCE),
        timeout: timeout(environment.timeout.as_ref(), notes),
        transport: transport(environment, notes),
        at: notes.place(written.key),
    }
}

fn callback(word: &Word, notes: &mut Notes<'_>) -> Option<SocketAddr> {
    let text = word.value.trim();
    let address = text.parse().ok().or_else(|| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, 0)));
    if address.is_none() {
        let message = format!("`{}` is no address of this machine", shown(text));
        notes.error("suite::wrong-value", word.span, message, "as `10.1.2.3` or `10.1.2.3:8123`");
    }
    address
}

fn timeout(word: Option<&Word>, notes: &mut Notes<'_>) -> Duration {
    let timeout = notes.duration_or(word, TIMEOUT);
    if let Some(word) = word.filter(|_| timeout.is_zero()) {
        notes.error("suite::wrong-value", word.span, "nothing answers in no time", "more than `0s`");
    }
    timeout
}

fn target(name: &str, written: &Spanned<written::Environment>, notes: &mut Notes<'_>) -> Target {
    let environment = &written.value;
    match (&environment.mock, &environment.url) {
        (Some(mock), Some(url)) => {
            let first = notes.place(mock.key);
            let message = format!("`{name}` is a mock or an address, not both");
            let diagnostic = notes.error("suite::contradiction", url.key, message, "or an address");
            diagnostic.also.push((first, "either a mock".to_owned()));
            Target::Url(Template::default())
        }
        (Some(mock), None) => mock_target(mock, notes),
        (None, Some(url)) => Target::Url(address(url, notes)),
        (None, None) => {
            let message = format!("`{name}` says not what stands there");
            notes.error("suite::missing-key", written.key, message, "neither `mock` nor `url`").help =
                Some("write `mock: {}` or `url: $env:NAME`".to_owned());
            Target::Url(Template::default())
        }
    }
}

/// An address: `http://…`, `https://…`, or a variable that holds one.
fn address(word: &Word, notes: &mut Notes<'_>) -> Template {
    let template = template(word, &Scope::default(), notes);
    match template.parts.first() {
        Some(Part::Reference(Reference::Env(_) | Reference::Secret(_))) => {}
        Some(Part::Text(text)) if text.starts_with("http://") || text.starts_with("https://") => {
            let plain = template.as_plain();
            if plain.is_some_and(|plain| url::Url::parse(&plain).is_err()) {
                let message = format!("`{}` is no address", shown(&word.value));
                notes.error("suite::address", word.span, message, "expected e.g. `https://host:443`");
            }
        }
        _ => {
            let message = format!("`{}` is no address", shown(&word.value));
            let label = "expected `https://…`, `http://…` or `$env:NAME`";
            notes.error("suite::address", word.span, message, label);
        }
    }
    template
}

fn mock_target(written: &Spanned<Option<written::Mock>>, notes: &mut Notes<'_>) -> Target {
    let none = written::Mock::default();
    let mock = written.value.as_ref().unwrap_or(&none);
    match (&mock.url, &mock.control) {
        (None, None) => Target::Mock(Box::new(mock_spec(mock, notes))),
        (Some(url), Some(control)) => {
            let beside = [
                mock.policy.as_ref().map(|it| it.key),
                mock.access_lifetime.as_ref().map(|it| it.key),
                mock.refresh_lifetime.as_ref().map(|it| it.key),
                mock.idle.as_ref().map(|it| it.key),
                mock.cap.as_ref().map(|it| it.key),
                mock.old_access.as_ref().map(|it| it.key),
                mock.webapi.as_ref().map(|it| it.key),
                mock.seed.as_ref().map(|it| it.key),
                mock.latency.as_ref().map(|it| it.key),
                mock.workers.as_ref().map(|it| it.key),
                mock.stall.as_ref().map(|it| it.key),
            ];
            if let Some(key) = beside.into_iter().flatten().next() {
                let message = "a mock that already runs has its own settings";
                notes.error("suite::contradiction", key, message, "decided where it was started");
            }
            Target::RunningMock { url: address(url, notes), control: address(control, notes) }
        }
        (Some(word), None) | (None, Some(word)) => {
            let message = "a mock that already runs has a `url` and a `control`";
            notes.error("suite::missing-key", word.key, message, "one of the two is missing");
            Target::Mock(Box::default())
        }
    }
}

fn mock_spec(mock: &written::Mock, notes: &mut Notes<'_>) -> MockSpec {
    let usual = MockSpec::default();
    let policy = mock.policy.as_ref();
    let policy =
        policy.and_then(|word| notes.word("policy of the mock", &word.value, word.span, &MockPolicy::ALL));
    let known: Vec<(Defect, &str)> = Defect::ALL.iter().map(|defect| (*defect, defect.word())).collect();
    let defects = mock.defects.iter();
    let defects =
        defects.filter_map(|word| notes.word("defect of the mock", &word.value, word.span, &known)).collect();
    let variants = mock.variants.iter();
    let variants = variants
        .filter_map(|word| notes.word("variant of the mock", &word.value, word.span, Variant::ALL))
        .collect();
    MockSpec {
        policy: policy.unwrap_or(usual.policy),
        lifetimes: lifetimes(mock, notes),
        webapi: mock.webapi.as_ref().and_then(|number| generation(number, notes)).unwrap_or(usual.webapi),
        seed: mock.seed.as_ref().map_or(usual.seed, |seed| seed.value),
        latency: mock.latency.as_ref().and_then(|written| latency(written, notes)).unwrap_or(usual.latency),
        workers: mock.workers.as_ref().and_then(|number| workers(number, notes)),
        stall: mock.stall.as_ref().and_then(|stall| {
            let after = notes.duration(&stall.value.after);
            let lasting = notes.duration(&stall.value.lasting);
            Some(Stall { after: after?, lasting: lasting? })
        }),
        errors: usual.errors,
        defects,
        variants,
    }
}

fn workers(number: &Spanned<u32>, notes: &mut Notes<'_>) -> Option<u32> {
    if number.value == 0 {
        notes.error("suite::wrong-value", number.span, "nobody works on anything", "at least 1");
    }
    (number.value > 0).then_some(number.value)
}

fn lifetimes(mock: &written::Mock, notes: &mut Notes<'_>) -> MockLifetimes {
    let mut time = |word: &Option<Word>| word.as_ref().and_then(|word| notes.duration(word));
    let (access, refresh) = (time(&mock.access_lifetime), time(&mock.refresh_lifetime));
    let (idle, cap) = (time(&mock.idle), time(&mock.cap));
    let old_access = mock.old_access.as_ref().and_then(|word| {
        notes.word("fate of an old access token", &word.value, word.span, &vocabulary::OLD_ACCESS)
    });
    MockLifetimes { access, refresh, idle, cap, old_access }
}

fn generation(number: &Spanned<u32>, notes: &mut Notes<'_>) -> Option<Generation> {
    match number.value {
        1 => Some(Generation::One),
        2 => Some(Generation::Two),
        other => {
            let message = format!("there is no Web API {other}");
            notes.error("suite::wrong-value", number.span, message, "`1` or `2`");
            None
        }
    }
}

fn latency(written: &Spanned<written::Latency>, notes: &mut Notes<'_>) -> Option<MockLatency> {
    let model = match &written.value {
        written::Latency::Word(word) => {
            return notes.word("model of latency", word, written.span, &[(MockLatency::None, "none")]);
        }
        written::Latency::Map(model) => model,
    };
    match model {
        written::LatencyOf::Constant(word) => notes.duration(word).map(MockLatency::Constant),
        written::LatencyOf::Lognormal { median, sigma } => {
            if !(0.0..=10.0).contains(&sigma.value) {
                notes.error("suite::wrong-value", sigma.span, "`sigma` is out of range", "from 0 to 10");
            }
            notes.duration(median).map(|median| MockLatency::Lognormal { median, sigma: sigma.value })
        }
        written::LatencyOf::Bimodal { fast, slow, share } => {
            let (fast, slow, share) = (notes.duration(fast), notes.duration(slow), notes.share(share));
            Some(MockLatency::Bimodal { fast: fast?, slow: slow?, share: share? })
        }
        written::LatencyOf::Spikes { base, spike, one_in } => {
            if one_in.value == 0 {
                notes.error("suite::wrong-value", one_in.span, "one in none is nothing", "at least 1");
            }
            let (base, spike) = (notes.duration(base), notes.duration(spike));
            Some(MockLatency::Spikes { base: base?, spike: spike?, one_in: one_in.value })
        }
    }
}

fn identity(written: &Spanned<IndexMap<String, Word>>, notes: &mut Notes<'_>) -> Identity {
    let mut slots = Vec::new();
    for (name, word) in &written.value {
        let slot = slot(name, word.key, notes);
        let value = template(word, &Scope::default(), notes);
        if let Some(slot) = slot {
            if slot.is_secret() && !is_secret(&value) {
                in_clear(name, word, &value, notes);
            } else if value.parts.iter().any(|part| !is_given(part)) {
                let message = "an identity holds values, and this refers to one of a call";
                notes.error(
                    "suite::reference",
                    word.span,
                    message,
                    "write text, `$env:NAME` or `$secret:NAME`",
                );
            }
            slots.push((slot, value));
        }
    }
    Identity { slots, at: notes.place(written.key) }
}

pub(super) fn is_given(part: &Part) -> bool {
    match part {
        Part::Text(_) | Part::Reference(Reference::Env(_) | Reference::Secret(_)) => true,
        Part::Reference(_) => false,
    }
}

/// A secret that is written into the suite. Its value is not quoted, here or in any other diagnostic.
pub(super) fn in_clear(name: &str, word: &Word, value: &Template, notes: &mut Notes<'_>) {
    let message = format!("`{name}` is a secret and stands here in clear");
    let variable = match value.parts.as_slice() {
        [Part::Reference(Reference::Env(variable))] => Some(variable.clone()),
        _ => None,
    };
    if variable.is_none() {
        notes.secrets.push(word.span);
    }
    let diagnostic = notes.error("suite::secret-in-clear", word.span, message, "not shown");
    if let Some(variable) = variable {
        diagnostic.message = format!("`{name}` is a secret, and `$env:` values may be printed");
        "a secret".clone_into(&mut diagnostic.label);
        diagnostic.patch = Some(format!("$secret:{variable}"));
    } else {
        diagnostic.help =
            Some(format!("put the value into an environment variable and write `{name}: $secret:NAME`"));
    }
}

fn source(written: &Spanned<written::Chains>, notes: &mut Notes<'_>) -> ChainSource {
    match &written.value {
        written::Chains::Word(word) => {
            if word == "vault" {
                notes.later(word, written.span);
                return ChainSource::Login;
            }
            let known = [(ChainSource::Login, "login")];
            notes.word("source of chains", word, written.span, &known).unwrap_or(ChainSource::Login)
        }
        written::Chains::Map(of) => match (&of.file, &of.env, &of.exec) {
            (Some(path), None, None) => ChainSource::File(path.value.clone()),
            (None, Some(name), None) => ChainSource::Variable(name.value.clone()),
            (None, None, Some(command)) => ChainSource::Exec(command.value.clone()),
            (None, None, None) => {
                let message = "`chains` says nothing of where they come from";
                notes.error(
                    "suite::wrong-value",
                    written.span,
                    message,
                    "write `login`, `file`, `env` or `exec`",
                );
                ChainSource::Login
            }
            _ => {
                let message = "chains come from one place";
                notes.error(
                    "suite::wrong-value",
                    written.span,
                    message,
                    "keep one of `file`, `env` and `exec`",
                );
                ChainSource::Login
            }
        },
    }
}

fn guard(written: &Spanned<written::Guard>, notes: &mut Notes<'_>) -> Guard {
    let guard = &written.value;
    if guard.hosts.is_empty() {
        notes.error(
            "suite::wrong-value",
            written.key,
            "the guard lets nothing through",
            "name at least one host",
        );
    }
    for host in &guard.hosts {
        if host.value.contains(['/', ' ', '*']) || host.value.is_empty() {
            let message = format!("`{}` is no host", shown(&host.value));
            notes.error(
                "suite::wrong-value",
                host.span,
                message,
                "a name or an address alone: `uat.example.org`",
            );
        }
    }
    Guard {
        hosts: guard.hosts.iter().map(|host| host.value.clone()).collect(),
        rate: guard.rate.as_ref().and_then(|rate| notes.rate(rate)),
        requests: guard.requests,
        destructive: guard.destructive,
        at: notes.place(written.key),
    }
}
