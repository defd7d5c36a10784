//! `assay history`: the run files of a folder, in a row.

use std::path::{Component, Path, PathBuf};

use crate::compare::history::{self, History, Night};
use crate::report::{html, terminal};
use crate::results::file;
use crate::results::outcome::Exit;

use super::args::{Color, HistoryArgs};
use super::plan::{self, Refused};

/// So deep are folders searched.
const DEPTH: u32 = 4;
/// So many files are read, the last by name.
const FILES: usize = 5_000;
/// What is larger is no run file of ours.
const LARGEST: u64 = 256 << 20;
/// A run file begins with this key.
const MARK: &str = "\"assay_run\"";

/// Reads the run files, writes the page, and prints the history.
pub fn history(args: &HistoryArgs, color: Color) -> anyhow::Result<Result<Exit, Refused>> {
    let folders = if args.from.is_empty() { vec![PathBuf::from("reports")] } else { args.from.clone() };
    let out = args.out.clone().unwrap_or_else(|| home(&folders));
    let mut files = Vec::new();
    for folder in &folders {
        if let Err(error) = find(folder, DEPTH, &mut files) {
            return Ok(Err(Refused::CommandLine(format!("cannot read `{}`: {error}", folder.display()))));
        }
    }
    files.sort();
    files.dedup();
    let over = files.len().saturating_sub(FILES);
    if over > 0 {
        super::note(&format!("{over} files were left out: only the last {FILES} by name are read"));
    }
    let nights = nights(&files[over..], &out);
    let history = match history::history(nights, args.env.as_deref()) {
        Ok(history) => history,
        Err(sentence) => {
            let places: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
            return Ok(Err(Refused::CommandLine(format!("{sentence} in {}", places.join(", ")))));
        }
    };
    let page = keep(&history, &out, &again(&folders, args.env.as_deref()))?;
    if args.json {
        super::say(&json(&history));
    } else {
        let screen = super::stdout_screen(plan::screen(color, false));
        super::say(&terminal::history(&history, Some(&page.display().to_string()), screen));
    }
    super::note(&format!("\nexit 0 · {} runs drawn", history.nights.len()));
    Ok(Ok(Exit::Good))
}

/// Where the page goes: into the folder that was named.
fn home(folders: &[PathBuf]) -> PathBuf {
    match folders.first() {
        Some(first) if first.is_dir() => first.clone(),
        Some(file) => file.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf),
        None => PathBuf::from("."),
    }
}

/// The JSON files at `path`. Links are not followed: `latest` leads to a run that is there already.
fn find(path: &Path, depth: u32, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() && depth > 0 {
            find(&path, depth - 1, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|ending| ending == "json") {
            files.push(path);
        }
    }
    Ok(())
}

/// What is no run file is passed over; a run file that cannot be read is named.
fn nights(files: &[PathBuf], out: &Path) -> Vec<Night> {
    let mut nights = Vec::new();
    for path in files {
        if path.metadata().is_ok_and(|about| about.len() > LARGEST) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        if !text.get(..text.len().min(200)).is_some_and(|head| head.contains(MARK)) {
            continue;
        }
        match file::read(&text) {
            Ok(run) => {
                let page = path.with_file_name("report.html");
                nights.push(Night::of(&run, page.is_file().then(|| link(&page, out)).flatten()));
            }
            Err(error) => super::note(&format!("passed over: `{}`: {error}", path.display())),
        }
    }
    nights
}

/// The way from the folder of the history to a page, as a relative link.
fn link(page: &Path, out: &Path) -> Option<String> {
    let absolute = |path: &Path| std::path::absolute(path).ok();
    let (page, out) = (absolute(page)?, absolute(out)?);
    let (page, out): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (page.components().collect(), out.components().collect());
    let common = page.iter().zip(&out).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), out.len() - common);
    let down = page[common..].iter().map(|part| escaped(&part.as_os_str().to_string_lossy()));
    let way: Vec<String> = up.chain(down).collect();
    // The dot keeps a folder that is named like a scheme from being one.
    Some(format!("./{}", way.join("/")))
}

fn escaped(part: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    part.bytes()
        .map(|byte| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn again(folders: &[PathBuf], env: Option<&str>) -> String {
    let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let env = env.map_or(String::new(), |env| format!(" --env {env}"));
    format!("assay history {}{env}", folders.join(" "))
}

fn keep(history: &History, folder: &Path, again: &str) -> anyhow::Result<PathBuf> {
    let page = folder.join("history.html");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&page, html::history_page(history, again)))
        .and_then(|()| std::fs::write(folder.join("history.json"), json(history)))
        .map_err(|error| anyhow::anyhow!("cannot write the history to `{}`: {error}", folder.display()))?;
    Ok(page)
}

fn json(history: &History) -> String {
    let mut text = serde_json::to_string_pretty(history).expect("plain data with text keys is always JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_from_the_history_to_the_page() {
        let of = |page: &str, out: &str| link(Path::new(page), Path::new(out)).unwrap();
        assert_eq!(of("/r/a b/report.html", "/r"), "./a%20b/report.html");
        assert_eq!(of("/r/javascript:x/report.html", "/r"), "./javascript%3Ax/report.html");
        assert_eq!(of("/r/one/report.html", "/s/deep"), "./../../r/one/report.html");
    }
}
