//! The files of a run: drawn in memory, searched for secrets, then written.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::chain::held::Held;
use crate::report::{self, hlog};
use crate::results::{Run, SecretScan, file};
use crate::secret::Token;

/// Shorter values cannot be told from chance.
const SHORTEST: usize = 8;

/// The reports of `run`: name and text.
pub fn draw(run: &Run) -> Vec<(String, String)> {
    let text = file::write(run);
    let digest = file::digest(&text);
    let mut reports = vec![("run.json".to_owned(), text)];
    reports.extend(draw_from(run, &digest));
    reports
}

/// The reports of a run that was read from a run file with this digest, without the run file itself.
pub fn draw_from(run: &Run, digest: &str) -> Vec<(String, String)> {
    let reports = [
        ("report.html", report::html::page_of(run, digest)),
        ("junit.xml", report::junit::document(run)),
        ("summary.md", report::markdown::summary(run)),
    ];
    let logs = run.load.iter().filter_map(|load| Some((hlog::name(&load.name), hlog::document(load)?)));
    reports.map(|(name, text)| (name.to_owned(), text)).into_iter().chain(logs).collect()
}

/// Searches the reports of `run` for `secrets` and for every token of the run, and notes the result in it.
pub fn scan(run: &mut Run, secrets: &[Token], held: &Held) {
    let reports = draw(run);
    let forms: Vec<Vec<String>> =
        secrets.iter().filter(|secret| secret.len() >= SHORTEST).map(forms).collect();
    let known = |text: &str| forms.iter().flatten().any(|form| text.contains(form.as_str()));
    let hit = |text: &str| known(text) || held.stands_in(text);
    let hits = reports.iter().filter(|(_, text)| hit(text)).map(|(name, _)| name.clone()).collect();
    run.trust.secrets = Some(SecretScan {
        values: forms.len() as u64 + held.count(),
        beyond: held.beyond(),
        files: u32::try_from(reports.len()).unwrap_or(u32::MAX),
        hits,
    });
}

/// Whether one of `secrets`, or a token of the run, stands in `text`.
pub fn holds_secret(text: &str, secrets: &[Token], held: &Held) -> bool {
    let long = secrets.iter().filter(|secret| secret.len() >= SHORTEST);
    long.flat_map(forms).any(|form| text.contains(&form)) || held.stands_in(text)
}

/// The ways in which a secret could stand in a text: raw, percent-encoded, escaped, base64 of any alignment.
fn forms(secret: &Token) -> Vec<String> {
    let raw = secret.expose();
    let mut forms = vec![raw.to_owned()];
    forms.push(url::form_urlencoded::byte_serialize(raw.as_bytes()).collect());
    forms.push(raw.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
    forms.push(raw.replace('/', "\\/"));
    for shift in 0..3 {
        let mut bytes = vec![0u8; shift];
        bytes.extend_from_slice(raw.as_bytes());
        let encoded = STANDARD.encode(&bytes);
        // The characters at both ends depend on what stands beside the secret.
        let inner = encoded.trim_end_matches('=').get(if shift == 0 { 0 } else { 4 }..);
        if let Some(inner) = inner.filter(|inner| inner.len() > SHORTEST) {
            forms.push(inner[..inner.len() - 2].to_owned());
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Writes the reports of `run` into `folder` and points `latest` beside it to them; the page's path.
pub fn write(run: &Run, folder: &Path) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    for (name, text) in draw(run) {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(folder.join("report.html"))
}

/// A new folder under `reports/`, named by suite and time.
pub fn folder(id: &str) -> PathBuf {
    let reports = Path::new("reports");
    let mut folder = reports.join(id);
    let mut again = 2;
    while folder.exists() {
        folder = reports.join(format!("{id}-{again}"));
        again += 1;
    }
    folder
}

/// Makes `latest` beside `folder` lead to it. A file system without links gets a file with the path.
pub fn point_latest(folder: &Path) -> std::io::Result<()> {
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else { return Ok(()) };
    let latest = parent.join("latest");
    if latest.symlink_metadata().is_ok() {
        std::fs::remove_file(&latest)?;
    }
    link(Path::new(name), &latest).or_else(|_| std::fs::write(&latest, name.to_string_lossy().as_bytes()))
}

#[cfg(unix)]
fn link(target: &Path, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(std::io::Error::from(std::io::ErrorKind::Unsupported))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_secret_is_searched_for() {
        let secret = Token::new("mock-auth/07+secret==value");
        let forms = forms(&secret);
        for prefix in ["", "x", "xy", "xyz"] {
            let text = STANDARD.encode(format!("{prefix}{}{prefix}", secret.expose()));
            assert!(forms.iter().any(|form| text.contains(form.as_str())), "base64 behind `{prefix}`");
        }
        for text in ["a mock-auth/07+secret==value b", "AuthString=mock-auth%2F07%2Bsecret%3D%3Dvalue&x"] {
            assert!(forms.iter().any(|form| text.contains(form.as_str())), "{text}");
        }
    }
}
