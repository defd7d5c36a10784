//! The load generators: how each is told to do the same work.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The path that is asked.
pub const REFRESH: &str = "/api/PFMS/pfms_get_refresh_token";

/// A load generator with its manner of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// The program, with this format.
    Assay(Format),
    /// wrk with one request made beforehand.
    Wrk,
    /// wrk with a Lua script that follows chains.
    WrkChain,
    /// h2load, HTTP/1.1.
    H2load,
    /// oha.
    Oha,
    /// k6 with a script that follows chains.
    K6Chain,
}

/// A request format of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Format {
    Json,
    Xml,
    Form,
}

impl Format {
    fn word(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Xml => "xml",
            Format::Form => "form",
        }
    }
}

/// What a run is to do.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// As fast as this many connections can, for so long.
    Closed {
        /// Connections.
        connections: u32,
        /// Seconds.
        seconds: u32,
    },
    /// One request on each of this many connections: what a run costs before it has done anything. Only the program is
    /// asked for it.
    Base {
        /// Connections.
        connections: u32,
    },
    /// At this rate, for so long. Only the program is asked for it.
    Open {
        /// Requests per second.
        rate: u32,
        /// Seconds.
        seconds: u32,
    },
}

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The program.
    pub assay: PathBuf,
    /// `http://127.0.0.1:PORT` or `https://…`
    pub origin: String,
    /// For suites, bodies and results.
    pub folder: PathBuf,
    /// The server's certificate, over TLS.
    pub certificate: Option<PathBuf>,
}

impl Tool {
    /// All of them, in the order of a round.
    pub const ALL: [Tool; 8] = [
        Tool::Assay(Format::Json),
        Tool::Wrk,
        Tool::WrkChain,
        Tool::Oha,
        Tool::H2load,
        Tool::Assay(Format::Xml),
        Tool::Assay(Format::Form),
        Tool::K6Chain,
    ];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Assay(Format::Json) => "assay",
            Tool::Assay(Format::Xml) => "assay, XML",
            Tool::Assay(Format::Form) => "assay, form",
            Tool::Wrk => "wrk",
            Tool::WrkChain => "wrk + Lua chain",
            Tool::H2load => "h2load",
            Tool::Oha => "oha",
            Tool::K6Chain => "k6 + chain",
        }
    }

    /// What it does with each answer.
    pub fn does(self) -> &'static str {
        match self {
            Tool::Assay(_) => "reads strictly, judges, follows its chain, ledger, histograms, error classes",
            Tool::Wrk => "one request, status counted, one histogram",
            Tool::WrkChain => "tokens by a Lua pattern into the next request, status counted, one histogram",
            Tool::H2load => "one request, status counted, no histogram",
            Tool::Oha => "one request, every result kept",
            Tool::K6Chain => "JavaScript parses, tokens into the next request, metrics",
        }
    }

    /// The version that is installed; `None` where there is none.
    pub fn version(self, assay: &Path) -> Option<String> {
        let (program, flag) = match self {
            Tool::Assay(_) => (assay, "--version"),
            Tool::Wrk | Tool::WrkChain => (Path::new("wrk"), "--version"),
            Tool::H2load => (Path::new("h2load"), "--version"),
            Tool::Oha => (Path::new("oha"), "--version"),
            Tool::K6Chain => (Path::new("k6"), "version"),
        };
        let told = Command::new(program).arg(flag).output().ok()?;
        let text = String::from_utf8_lossy(if told.stdout.is_empty() { &told.stderr } else { &told.stdout });
        // "wrk debian/4.1.0-3+b2 [epoll] Copyright …"
        let words: Vec<&str> = text.lines().next()?.split_whitespace().take(2).collect();
        Some(words.join(" "))
    }

    /// The words of the command line.
    pub fn command(self, ground: &Ground, work: Work) -> anyhow::Result<Vec<String>> {
        let url = format!("{}{REFRESH}", ground.origin);
        let body = ground.body().display().to_string();
        let Work::Closed { connections, seconds } = work else {
            return self.assay(ground, work);
        };
        let script =
            |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name).display().to_string();
        let wrk = |name: &str| {
            format!("wrk -t1 -c{connections} -d{seconds}s --timeout 10s -s {} {url}", script(name))
        };
        let line = match self {
            Tool::Assay(_) => return self.assay(ground, work),
            Tool::Wrk => wrk("plain.lua"),
            Tool::WrkChain => wrk("chain.lua"),
            Tool::H2load => format!(
                "h2load --h1 -t1 -c{connections} -D{seconds} -d {body} -H content-type:application/json \
                 -H accept:application/json {url}"
            ),
            Tool::Oha => format!(
                "oha -z {seconds}s -c {connections} --no-tui --insecure -m POST -D {body} -T application/json \
                 -A application/json {url}"
            ),
            Tool::K6Chain => format!(
                "k6 run --quiet --no-usage-report --no-summary --insecure-skip-tls-verify --vus {connections} \
                 --duration {seconds}s -e PEERS_BODY={body} -e PEERS_URL={url} {}",
                script("chain.js")
            ),
        };
        Ok(line.split_whitespace().map(str::to_owned).collect())
    }

    fn assay(self, ground: &Ground, work: Work) -> anyhow::Result<Vec<String>> {
        let Tool::Assay(format) = self else { anyhow::bail!("{} has no open profile", self.name()) };
        let suite = ground.folder.join("suite.yaml");
        std::fs::write(&suite, suite_of(&ground.origin, format, work))?;
        let words = ["load", "--quiet", "--out"].map(str::to_owned);
        let program = ground.assay.display().to_string();
        let paths = [ground.results(), suite].map(|path| path.display().to_string());
        Ok(std::iter::once(program).chain(words).chain(paths).collect())
    }
}

impl Ground {
    /// The good call of everybody who does not write it himself.
    pub fn body(&self) -> PathBuf {
        self.folder.join("request.json")
    }

    /// Where the program writes its reports.
    pub fn results(&self) -> PathBuf {
        self.folder.join("out")
    }

    /// Writes the request that the fixed server's own pair makes.
    pub fn write_body(&self) -> anyhow::Result<()> {
        let answer: serde_json::Value = serde_json::from_str(include_str!("../answers/refresh.json"))?;
        let pair = &answer["RefreshTokenResponse"];
        let text = |name: &str| pair[name].as_str().unwrap_or_default().to_owned();
        let body = format!(
            r#"{{"stateCode":"07","AuthString":"{SECRET}","expiredAccessToken":"{}","RefreshToken":"{}"}}"#,
            text("accessToken"),
            text("refreshToken")
        );
        Ok(std::fs::write(self.body(), body)?)
    }

    /// What the tools find in their environment.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("PEERS_BODY", self.body().display().to_string()),
            ("PEERS_SECRET", SECRET.to_owned()),
            ("PEERS_CODE", "code-of-nobody".to_owned()),
        ];
        let trusted = self.certificate.as_ref().map(|path| ("SSL_CERT_FILE", path.display().to_string()));
        variables.extend(trusted);
        variables
    }
}

/// A shared secret as long as the mock's.
const SECRET: &str = "mock-auth-07-56085377f8cbdbb8557a";

fn suite_of(origin: &str, format: Format, work: Work) -> String {
    let format = format.word();
    let profile = match work {
        Work::Closed { connections, seconds } => format!("users: {connections}, for: {seconds}s"),
        Work::Base { connections } => format!("users: {connections}, for: 1s, refreshes: {connections}"),
        Work::Open { rate, seconds } => format!("arrivals: {rate}/s, for: {seconds}s, chains: 64"),
    };
    format!(
        r#"assay: 1
name: peers
dialect: pfms
environments:
  fixed:
    url: "{origin}"
    identities:
      own: {{ tenant: "07", secret: $secret:PEERS_SECRET, code: $secret:PEERS_CODE }}
    chains: login
    guard: {{ hosts: [127.0.0.1] }}
load:
  peers: {{ {profile}, formats: {{ {format}: 1 }} }}
"#
    )
}
