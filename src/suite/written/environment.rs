//! The shape of environments.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::yaml::Spanned;
use super::{Word, words};

/// What the suite can be run against: a mock, or an address.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in super::super) struct Environment {
    /// Our own endpoint: started for the run, or one that already runs.
    #[serde(default)]
    pub(in super::super) mock: Option<Spanned<Option<Mock>>>,
    /// The address of the endpoint: `$env:NAME` or `https://…`.
    #[serde(default)]
    pub(in super::super) url: Option<Word>,
    /// Callers and their credentials, in slots. Secrets only as `$secret:NAME`.
    #[serde(default)]
    #[schemars(schema_with = "words::identities")]
    pub(in super::super) identities: IndexMap<String, Spanned<IndexMap<String, Word>>>,
    /// Where chains come from: `login`, or pairs of a file, a variable or a command.
    #[serde(default)]
    pub(in super::super) chains: Option<Spanned<Chains>>,
    /// What a run may do here. Required for everything that is not our own mock.
    #[serde(default)]
    pub(in super::super) guard: Option<Spanned<Guard>>,
    /// Operations beyond the documented ones that are available here.
    #[serde(default)]
    #[schemars(schema_with = "words::offers")]
    pub(in super::super) offers: Vec<Word>,
    /// A file with the public key that the endpoint signs its tokens with, as PEM: what it could be tricked
    /// into taking for a shared secret.
    #[serde(default)]
    pub(in super::super) public_key: Option<Word>,
    /// An address of this machine that the endpoint can reach, for `$callback`: `10.1.2.3`, `10.1.2.3:8123`.
    #[serde(default)]
    pub(in super::super) callback: Option<Word>,
    /// How long a `wait` may really sleep where the clock cannot be moved; `5s` where left out.
    #[serde(default)]
    pub(in super::super) patience: Option<Word>,
    /// For each exchange; `10s` where left out.
    #[serde(default)]
    pub(in super::super) timeout: Option<Word>,
    /// The version of HTTP: `1.1` where left out, or `2` (by ALPN over TLS, by prior knowledge in the clear).
    #[serde(default)]
    #[schemars(schema_with = "words::http")]
    pub(in super::super) http: Option<Word>,
    /// On what terms TLS is spoken.
    #[serde(default)]
    pub(in super::super) tls: Option<Spanned<TlsTerms>>,
    /// Dialed in place of what the name resolves to, in this order: `10.1.2.3`, `10.1.2.3:8443`.
    #[serde(default)]
    pub(in super::super) addresses: Vec<Word>,
    /// What connections go through: `http://proxy:3128` (CONNECT), `socks5://…`, `socks5h://…`.
    #[serde(default)]
    pub(in super::super) proxy: Option<Word>,
    /// The address of this machine that connections leave from.
    #[serde(default)]
    pub(in super::super) bind: Option<Word>,
    /// Only addresses of this family are dialed: `4` or `6`.
    #[serde(default)]
    #[schemars(schema_with = "words::ip")]
    pub(in super::super) ip: Option<Word>,
}

/// On what terms TLS is spoken.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct TlsTerms {
    /// A file of certificates that are trusted, as PEM, in place of those of the machine.
    #[serde(default)]
    pub(in super::super) ca: Option<Word>,
    /// A file with the client's certificate as PEM, and its chain behind it.
    #[serde(default)]
    pub(in super::super) certificate: Option<Word>,
    /// A file with the key of the client's certificate, as PEM.
    #[serde(default)]
    pub(in super::super) key: Option<Word>,
    /// The oldest version that is spoken.
    #[serde(default)]
    #[schemars(schema_with = "words::tls")]
    pub(in super::super) min: Option<Word>,
    /// The newest version that is spoken.
    #[serde(default)]
    #[schemars(schema_with = "words::tls")]
    pub(in super::super) max: Option<Word>,
    /// The name that is asked for and verified, in place of the host of the address.
    #[serde(default)]
    pub(in super::super) name: Option<Word>,
}

/// Where chains come from.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Chains", untagged)]
pub(in super::super) enum Chains {
    /// `login`: the dialect's own operation.
    Word(#[schemars(schema_with = "words::chains")] String),
    /// Pairs that somebody else made.
    Map(ChainsOf),
}

/// Pairs that somebody else made: one of the three.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ChainsOf {
    /// A file: one JSON object a line, whose keys are slots; or CSV, whose first line names them.
    #[serde(default)]
    pub(in super::super) file: Option<Word>,
    /// An environment variable that holds such lines.
    #[serde(default)]
    pub(in super::super) env: Option<Word>,
    /// A command of the shell that prints such lines.
    #[serde(default)]
    pub(in super::super) exec: Option<Word>,
}

/// What a run may do to a target that is not our own mock.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Guard {
    /// The hosts it may talk to.
    pub(in super::super) hosts: Vec<Word>,
    /// Requests per second, at most.
    #[serde(default)]
    pub(in super::super) rate: Option<Word>,
    /// Requests in the whole run, at most.
    #[serde(default)]
    pub(in super::super) requests: Option<u64>,
    /// Whether checks that can do harm may run; the command line must agree.
    #[serde(default)]
    pub(in super::super) destructive: bool,
}

/// How our own endpoint behaves, or where one already runs.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in super::super) struct Mock {
    /// What it does with used refresh tokens.
    #[serde(default)]
    #[schemars(schema_with = "words::mock_policies")]
    pub(in super::super) policy: Option<Word>,
    /// How long its access tokens live.
    #[serde(default)]
    pub(in super::super) access_lifetime: Option<Word>,
    /// How long an unused refresh token lives.
    #[serde(default)]
    pub(in super::super) refresh_lifetime: Option<Word>,
    /// How long a chain may rest.
    #[serde(default)]
    pub(in super::super) idle: Option<Word>,
    /// How long a chain may last.
    #[serde(default)]
    pub(in super::super) cap: Option<Word>,
    /// Whether an access token outlives the next refresh.
    #[serde(default)]
    #[schemars(schema_with = "words::old_access")]
    pub(in super::super) old_access: Option<Word>,
    /// The generation of ASP.NET Web API that it imitates: 1 or 2.
    #[serde(default)]
    #[schemars(range(min = 1, max = 2))]
    pub(in super::super) webapi: Option<Spanned<u32>>,
    /// Everything random follows from it.
    #[serde(default)]
    pub(in super::super) seed: Option<Spanned<u64>>,
    /// How long its answers take.
    #[serde(default)]
    pub(in super::super) latency: Option<Spanned<Latency>>,
    /// So many requests are worked on at once; the others wait their turn.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(in super::super) workers: Option<Spanned<u32>>,
    /// One pause of everything.
    #[serde(default)]
    pub(in super::super) stall: Option<Spanned<Stall>>,
    /// What is wrong with it.
    #[serde(default)]
    #[schemars(schema_with = "words::defects")]
    pub(in super::super) defects: Vec<Word>,
    /// What is unusual and right.
    #[serde(default)]
    #[schemars(schema_with = "words::variants")]
    pub(in super::super) variants: Vec<Word>,
    /// The address of a mock that already runs.
    #[serde(default)]
    pub(in super::super) url: Option<Word>,
    /// The address of its control port.
    #[serde(default)]
    pub(in super::super) control: Option<Word>,
}

/// How long the mock's answers take.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Latency", untagged)]
pub(in super::super) enum Latency {
    /// `none`: as fast as it can.
    Word(#[schemars(schema_with = "words::no_latency")] String),
    /// A model.
    Map(LatencyOf),
}

/// A model of latency.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in super::super) enum LatencyOf {
    /// Always this long.
    Constant(Word),
    /// Half of the answers are faster than the median.
    Lognormal {
        /// Half of the answers are faster.
        median: Word,
        /// Standard deviation of the natural logarithm.
        sigma: Spanned<f64>,
    },
    /// Two peaks.
    Bimodal {
        /// The common one.
        fast: Word,
        /// The rare one.
        slow: Word,
        /// The share of slow answers: `5%`.
        share: Word,
    },
    /// A base with rare spikes.
    #[serde(rename_all = "kebab-case")]
    Spikes {
        /// The base.
        base: Word,
        /// How long a spike takes.
        spike: Word,
        /// One request in this many.
        one_in: Spanned<u32>,
    },
}

/// One pause of everything.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Stall {
    /// After the first refresh.
    pub(in super::super) after: Word,
    /// How long.
    #[serde(rename = "for")]
    pub(in super::super) lasting: Word,
}
