//! `assay report`: the reports of a run file, drawn again.

use std::path::Path;

use crate::report::html;
use crate::results::outcome::Exit;
use crate::results::proof::Proof;
use crate::results::{Run, file};

use super::args::{Color, ReportArgs};
use super::artifacts;
use super::plan::{self, Refused};

/// Draws the page, JUnit and Markdown of a run file again; the run file itself is left alone.
pub fn redraw(args: &ReportArgs, color: Color) -> anyhow::Result<Result<Exit, Refused>> {
    let source = match plan::read_file(&args.run) {
        Ok(source) => source,
        Err(refused) => return Ok(Err(refused)),
    };
    let mut run = match file::read(source.text()) {
        Ok(run) => run,
        Err(error) => return Ok(Err(Refused::CommandLine(format!("`{}`: {error}", args.run.display())))),
    };
    if let Some(path) = &args.proof {
        match read_proof(path) {
            Ok(proof) => run.proof = Some(Box::new(proof)),
            Err(refused) => return Ok(Err(refused)),
        }
    }
    let digest = file::digest(source.text());
    let beside = args.run.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = args.out.as_deref().unwrap_or(beside);
    if args.verify {
        return Ok(verify(&run, &digest, &folder.join("report.html")));
    }
    std::fs::create_dir_all(folder)?;
    for (name, text) in artifacts::draw_from(&run, &digest) {
        std::fs::write(folder.join(name), text)?;
    }
    let screen = super::stdout_screen(plan::screen(color, false));
    let page = folder.join("report.html").display().to_string();
    super::say(&crate::report::terminal::summary(&run, Some(&page), screen));
    super::note("\nexit 0 · drawn again");
    Ok(Ok(Exit::Good))
}

/// Whether the page at `path` was drawn from just this run file, and says what that says.
fn verify(run: &Run, digest: &str, path: &Path) -> Result<Exit, Refused> {
    let source = plan::read_file(path)?;
    let (page, own) = (source.text(), env!("CARGO_PKG_VERSION"));
    let drawn_by_us = page.contains(&format!("content=\"assay {own}\""));
    let (good, sentence) = match html::digest_in(page) {
        None => (false, "it does not say which run file it was drawn from".to_owned()),
        Some(other) if other != digest => {
            (false, format!("it was drawn from another run file ({other}, and not {digest})"))
        }
        // The same program draws the same bytes: whoever changed a figure by hand is found out.
        Some(_) if drawn_by_us && html::page_of(run, digest) != page => (
            false,
            "it was changed after it was drawn, or drawn with a kill table that was not named".to_owned(),
        ),
        Some(_) if drawn_by_us => (true, format!("drawn from this run file, byte for byte ({digest})")),
        Some(_) => (true, format!("it names this run file ({digest}); another version drew it")),
    };
    super::say(&format!("  {}: {sentence}", path.display()));
    let exit = if good { Exit::Good } else { Exit::Failed };
    super::note(&format!("\nexit {} · {}", exit.code(), if good { "verified" } else { "not verified" }));
    Ok(exit)
}

fn read_proof(path: &Path) -> Result<Proof, Refused> {
    let source = plan::read_file(path)?;
    serde_json::from_str(source.text()).map_err(|error| {
        Refused::CommandLine(format!("`{}` is no kill table of `assay prove`: {error}", path.display()))
    })
}
