//! Who hears the events of a run: the terminal's progress, or lines of JSON.

use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::report::terminal;
use crate::results::event::Event;
use crate::results::{Run, outcome};

use super::args::Format;
use super::plan::RunPlan;

/// Listens on a thread of its own until the narrator is gone.
pub fn watch(ear: Receiver<Event>, plan: &RunPlan) -> JoinHandle<()> {
    let (screen, quiet, format, lines) = (plan.screen, plan.quiet, plan.format, plan.lines);
    std::thread::spawn(move || match format {
        Format::Human | Format::Json => {
            terminal::watch(&ear, screen, lines, quiet, super::pipeline::on_gitlab());
        }
        Format::Ndjson => {
            for event in ear {
                if let Some(line) = line(&event) {
                    super::say(&line.to_string());
                }
            }
        }
    })
}

/// One event as one JSON object; what is only for eyes is left out.
fn line(event: &Event) -> Option<Value> {
    Some(match event {
        Event::RunStarted { title, burn, checks, .. } => {
            json!({ "event": "run-started", "title": title, "burn": burn, "checks": checks })
        }
        Event::CheckFinished(result) => json!({ "event": "check-finished", "check": result }),
        Event::ProfileStarted { name } => json!({ "event": "profile-started", "name": name }),
        Event::LoadTick(tick) => json!({
            "event": "load-tick",
            "name": tick.name,
            "elapsed_ms": u64::try_from(tick.elapsed.as_millis()).unwrap_or(u64::MAX),
            "asked_rps": tick.asked_rate,
            "answered_rps": tick.answered_rate,
            "response_time_us_p99": tick.p99_us,
            "errors": tick.errors,
            "starved": tick.starved,
        }),
        Event::ProfileFinished(result) => {
            json!({ "event": "profile-finished", "name": result.name, "book": result.book })
        }
        Event::Stopping => json!({ "event": "stopping" }),
        Event::Note(text) => json!({ "event": "note", "text": text }),
        _ => return None,
    })
}

/// The last line: the verdict.
pub fn last_line(run: &Run) -> String {
    let verdict = outcome::of(run);
    json!({
        "event": "run-finished",
        "headline": verdict.headline,
        "reason": verdict.reason,
        "exit": verdict.exit.code(),
    })
    .to_string()
}
