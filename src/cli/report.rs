//! `assay report`: the reports of a run file, drawn again.

use std::path::Path;

use crate::results::file;
use crate::results::outcome::Exit;
use crate::results::proof::Proof;

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
    let beside = args.run.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = args.out.as_deref().unwrap_or(beside);
    std::fs::create_dir_all(folder)?;
    for (name, text) in artifacts::draw(&run) {
        if name != "run.json" {
            std::fs::write(folder.join(name), text)?;
        }
    }
    let screen = super::stdout_screen(plan::screen(color, false));
    let page = folder.join("report.html").display().to_string();
    super::say(&crate::report::terminal::summary(&run, Some(&page), screen));
    super::note("\nexit 0 · drawn again");
    Ok(Ok(Exit::Good))
}

fn read_proof(path: &Path) -> Result<Proof, Refused> {
    let source = plan::read_file(path)?;
    serde_json::from_str(source.text()).map_err(|error| {
        Refused::CommandLine(format!("`{}` is no kill table of `assay prove`: {error}", path.display()))
    })
}
