//! `assay prove`: the kill table.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::Path;

use crate::prove::{self, Options, Subject};
use crate::report::html;
use crate::results::outcome::Exit;
use crate::results::proof::{DefectProof, MutantProof, Proof};
use crate::source::SourceFile;
use crate::suite::{self, Suite};

use super::args::{Color, ProveArgs};
use super::plan::{self, Refused};

/// The suites that are proven when none is named, with the copies that are built in. The last adds what only it asks.
const SHIPPED: [(&str, &str); 11] = [
    ("suites/pfms.yaml", include_str!("../../suites/pfms.yaml")),
    ("suites/oauth2.yaml", include_str!("../../suites/oauth2.yaml")),
    ("suites/fapi2.yaml", include_str!("../../suites/fapi2.yaml")),
    ("suites/oidc.yaml", include_str!("../../suites/oidc.yaml")),
    ("suites/simplejwt.yaml", include_str!("../../suites/simplejwt.yaml")),
    ("suites/aspnet-identity.yaml", include_str!("../../suites/aspnet-identity.yaml")),
    ("suites/supabase.yaml", include_str!("../../suites/supabase.yaml")),
    ("suites/matrix.yaml", include_str!("../../suites/matrix.yaml")),
    ("suites/bearer.yaml", include_str!("../../suites/bearer.yaml")),
    ("suites/cookie.yaml", include_str!("../../suites/cookie.yaml")),
    ("suites/soap.yaml", include_str!("../../suites/soap.yaml")),
];

/// Proves a suite, or all that are shipped, and prints what escaped.
pub fn prove(args: &ProveArgs, color: Color) -> anyhow::Result<Result<Exit, Refused>> {
    let subjects = match subjects(args.suite.as_deref()) {
        Ok(subjects) => subjects,
        Err(refused) => return Ok(Err(refused)),
    };
    let options = Options {
        subjects,
        only: args.only.clone(),
        full: args.full,
        clean_runs: args.clean_runs.unwrap_or(if args.full { 1 } else { 3 }),
        mutants: !args.skip_mutants,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let live = std::io::stderr().is_terminal() && !args.json;
    let progress = |done: usize, all: usize, name: &str| {
        if live {
            eprint_live(&format!("\r\u{1b}[K  {done}/{all} {name}"));
        }
    };
    let proof = match runtime.block_on(prove::prove(&options, &progress)) {
        Ok(proof) => proof,
        Err(prove::CannotProve(sentence)) => return Ok(Err(Refused::CommandLine(sentence))),
    };
    if live {
        eprint_live("\r\u{1b}[K");
    }
    let text = summary(&proof, plan::screen(color, false).color);
    if args.json {
        super::say(&proof.json());
    } else {
        super::say(&text);
    }
    if let Some(folder) = &args.out {
        keep(&proof, folder)?;
    }
    Ok(Ok(conclude(&proof)))
}

fn subjects(suite: Option<&Path>) -> Result<Vec<Subject>, Refused> {
    let suites = match suite {
        Some(path) => vec![plan::read_suite(Some(path))?],
        None => SHIPPED.iter().map(|(path, text)| shipped(path, text)).collect::<Result<_, _>>()?,
    };
    suites
        .into_iter()
        .map(|suite| {
            let chosen = plan::choose(suite, None)?;
            let plan::Chosen { suite, environment, dialect } = chosen;
            Ok(Subject { suite, environment, dialect })
        })
        .collect()
}

fn shipped(path: &str, text: &str) -> Result<Suite, Refused> {
    if Path::new(path).exists() {
        return plan::read_suite(Some(Path::new(path)));
    }
    Ok(suite::parse(&SourceFile::new(format!("{path} (built in)"), text))?)
}

/// The table as text, as JSON and as a page.
fn keep(proof: &Proof, folder: &Path) -> anyhow::Result<()> {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text);
    let kept = std::fs::create_dir_all(folder)
        .and_then(|()| write("proof.json", &proof.json()))
        .and_then(|()| write("proof.txt", &summary(proof, false)))
        .and_then(|()| write("proof.html", &html::proof_page(proof)));
    kept.map_err(|error| anyhow::anyhow!("cannot write the kill table to `{}`: {error}", folder.display()))
}

fn eprint_live(text: &str) {
    use std::io::Write;
    let mut out = std::io::stderr().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

fn conclude(proof: &Proof) -> Exit {
    if proof.proven {
        super::note("\nexit 0 · every check has teeth");
        return Exit::Good;
    }
    super::note("\nexit 1 · a check has no teeth, or barks at nothing");
    Exit::Failed
}

/// The colors of the table.
#[derive(Clone, Copy)]
struct Paint {
    red: &'static str,
    green: &'static str,
    off: &'static str,
}

fn summary(proof: &Proof, color: bool) -> String {
    let paint = if color {
        Paint { red: "\u{1b}[1;31m", green: "\u{1b}[32m", off: "\u{1b}[0m" }
    } else {
        Paint { red: "", green: "", off: "" }
    };
    let suites = proof.suites.join(" and ");
    let seconds = proof.took_us / 1_000_000;
    let mut text = format!(
        "  proving {suites} against {} defects · {}:{:02}\n\n",
        proof.defects.len(),
        seconds / 60,
        seconds % 60
    );
    for subtlety in ["gross", "medium", "subtle"] {
        let rows: Vec<&DefectProof> = proof.defects.iter().filter(|row| row.subtlety == subtlety).collect();
        marks(&mut text, subtlety, &rows);
    }
    text.push_str("           . caught   ~ by another check only   x escaped\n\n");
    escaped(&mut text, proof, paint);
    alarms(&mut text, proof);
    mutants(&mut text, proof, paint);
    claims(&mut text, proof);
    let caught = proof.defects.iter().filter(|row| row.caught).count();
    let headline =
        if proof.proven { format!("{}Proven", paint.green) } else { format!("{}Not proven", paint.red) };
    let all = proof.defects.len();
    let _ = writeln!(
        text,
        "  {headline}: {caught} of {all} defects are caught by the checks they are for{}",
        paint.off
    );
    text
}

/// Marks in rows of at most 64.
fn marks(text: &mut String, name: &str, rows: &[&DefectProof]) {
    let caught = rows.iter().filter(|row| row.caught).count();
    let marks: Vec<char> = rows.iter().map(|row| mark(row)).collect();
    let mut lines = marks.chunks(64).map(|line| line.iter().collect::<String>());
    let first = lines.next().unwrap_or_default();
    let _ = writeln!(text, "  {name:<8} {caught:>3} of {:<3}  {first}", rows.len());
    for line in lines {
        let _ = writeln!(text, "  {:<20}{line}", "");
    }
}

fn mark(row: &DefectProof) -> char {
    if row.caught {
        '.'
    } else if row.escaped() {
        'x'
    } else {
        '~'
    }
}

fn escaped(text: &mut String, proof: &Proof, paint: Paint) {
    let Paint { red, off, .. } = paint;
    for row in proof.defects.iter().filter(|row| !row.caught) {
        let word = if row.escaped() { "ESCAPED" } else { "other" };
        let _ = writeln!(text, "{red}{word:>9}{off} {}  {}", row.id, row.what);
        if row.meant_for.is_empty() {
            let _ = writeln!(text, "            no check that names it could be judged");
        } else {
            let also = if row.also_red.is_empty() {
                String::new()
            } else {
                format!(" · red: {}", row.also_red.join(", "))
            };
            let _ = writeln!(
                text,
                "            meant for {}; missed by {}{also}",
                row.meant_for.join(", "),
                row.missed_by.join(", ")
            );
        }
    }
    for row in proof.defects.iter().filter(|row| !row.undeclared.is_empty()) {
        let _ = writeln!(text, "{red}undeclared{off} {}  also red: {}", row.id, row.undeclared.join(", "));
    }
}

fn alarms(text: &mut String, proof: &Proof) {
    let alarms: usize = proof.clean.red.iter().map(Vec::len).sum();
    let _ = writeln!(
        text,
        "  False alarms: {alarms} in {} clean runs ({} of {} checks passed)",
        proof.clean.runs, proof.clean.passed, proof.clean.judged
    );
    for id in proof.clean.red.iter().flatten() {
        let _ = writeln!(text, "            {id}");
    }
    let loud: Vec<_> = proof.variants.iter().filter(|variant| !variant.is_quiet()).collect();
    let _ = writeln!(text, "  False alarms: {} in {} benign variants", loud.len(), proof.variants.len());
    for variant in loud {
        let said: Vec<&str> = variant.red.iter().chain(&variant.open).map(String::as_str).collect();
        let _ = writeln!(text, "            {} ({}): {}", variant.what, variant.suite, said.join(", "));
    }
}

fn mutants(text: &mut String, proof: &Proof, paint: Paint) {
    for (mutants, name) in [
        (&proof.mutants, "Mutants of the dialect table, one side only"),
        (&proof.proxy, "Answers spoiled by a proxy"),
    ] {
        if mutants.is_empty() {
            continue;
        }
        let killed = mutants.iter().filter(|mutant| !mutant.red.is_empty()).count();
        let right = mutants.iter().filter(|mutant| mutant.justified.is_some()).count();
        let _ = writeln!(
            text,
            "  {name}: {killed} of {} turn a check red, {right} are right by a rule",
            mutants.len()
        );
        survivors(text, mutants, paint);
    }
}

fn survivors(text: &mut String, mutants: &[MutantProof], paint: Paint) {
    let mut rules: Vec<(&str, usize)> = Vec::new();
    for mutant in mutants {
        if let Some(why) = &mutant.justified {
            match rules.iter_mut().find(|(known, _)| known == why) {
                Some((_, times)) => *times += 1,
                None => rules.push((why, 1)),
            }
        }
    }
    for (why, times) in rules {
        let _ = writeln!(text, "            {times:>3} {why}");
    }
    for mutant in mutants.iter().filter(|mutant| !mutant.is_settled()) {
        let _ =
            writeln!(text, "{}{:>9}{} {} ({})", paint.red, "ESCAPED", paint.off, mutant.what, mutant.suite);
    }
}

fn claims(text: &mut String, proof: &Proof) {
    let claims = &proof.claims;
    // Nothing is counted where only some defects were tried.
    if claims.all == 0 {
        return;
    }
    let _ = writeln!(text, "  Claims: {} of {} failed at least once", claims.failed, claims.all);
    for claim in &claims.never {
        let _ = writeln!(text, "            never failed: {claim}");
    }
    for (ids, name) in [(&claims.exempt, "of info alone, exempt"), (&claims.unjudged, "judged in no run")] {
        if !ids.is_empty() {
            let _ = writeln!(text, "            {name}: {}", ids.join(", "));
        }
    }
}
