//! Load generators side by side, on one machine, at the same work.
//!
//! `run.sh` installs them and calls `peers compare`; `peers serve` is the server that all of them ask, and
//! `peers idle` the control loop beside which slip is read. `docs/measuring.md` says how to read the tables.

mod answer;
mod compare;
mod idle;
mod measure;
mod serve;
mod table;
mod tools;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;

use compare::Comparison;
use serve::Manner;

const USAGE: &str = "\
peers compare --assay FILE [--rounds 5] [--seconds 3] [--connections 32,256,2000] [--rates 1000,5000,10000]
              [--tls] [--server-core 0] [--client-core 1] [--port 7570]
peers serve [--port 7570] [--tls CERTIFICATE-TO-WRITE] [--http2]
peers idle [--rate 1000] [--seconds 2]";

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let verb = words.next().unwrap_or_default();
    let rest = Words(words.collect());
    match verb.as_str() {
        "compare" => {
            let page = compare::compare(&comparison(&rest)?)?;
            say(&page);
            Ok(())
        }
        "serve" => {
            let certificate = rest.value("--tls").map(PathBuf::from);
            let manner = Manner { certificate: certificate.as_deref(), http2: rest.has("--http2") };
            serve::serve(rest.one("--port", 7570)?, manner)
        }
        "idle" => {
            let lasting = Duration::from_secs(rest.one("--seconds", 2)?);
            let late = idle::lateness(rest.one("--rate", 1000)?, lasting)?;
            let micros = |nanos: u64| format!("{:.1}", nanos as f64 / 1000.0);
            let quantiles = [0.5, 0.99, 0.999].map(|quantile| micros(late.value_at_quantile(quantile)));
            say(&format!("{} {}", quantiles.join(" "), micros(late.max())));
            Ok(())
        }
        _ => anyhow::bail!("{USAGE}"),
    }
}

fn comparison(words: &Words) -> anyhow::Result<Comparison> {
    Ok(Comparison {
        assay: words.value("--assay").context(USAGE)?.into(),
        rounds: words.one("--rounds", 5)?,
        seconds: words.one("--seconds", 3)?,
        connections: words.several("--connections", &[32, 256, 2000])?,
        rates: words.several("--rates", &[1000, 5000, 10_000])?,
        tls: words.has("--tls"),
        cores: (words.one("--server-core", 0)?, words.one("--client-core", 1)?),
        port: words.one("--port", 7570)?,
    })
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn say(text: &str) {
    println!("{text}");
}

/// The words after the verb.
struct Words(Vec<String>);

impl Words {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|word| word == name)
    }

    fn value(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|word| word == name)?;
        self.0.get(at + 1).map(String::as_str)
    }

    fn one<T: FromStr>(&self, name: &str, otherwise: T) -> anyhow::Result<T> {
        let Some(text) = self.value(name) else { return Ok(otherwise) };
        text.parse().map_err(|_| anyhow::anyhow!("{name} {text}\n{USAGE}"))
    }

    fn several(&self, name: &str, otherwise: &[u32]) -> anyhow::Result<Vec<u32>> {
        let Some(text) = self.value(name) else { return Ok(otherwise.to_vec()) };
        let numbers = text.split(',').filter(|number| !number.is_empty());
        numbers.map(|number| number.parse().with_context(|| format!("{name} {text}"))).collect()
    }
}
