//! `assay plan`: what a run would send, spend and may harm. No traffic.

use std::fmt::Write as _;
use std::time::Duration;

use indexmap::IndexMap;

use crate::conformance::{self, Planned, sentinels};
use crate::load;
use crate::results::Burn;
use crate::results::outcome::Exit;
use crate::suite::environment::{Environment, Target};

use super::args::{Color, PlanArgs};
use super::plan::{self, Chosen, Refused};

/// One line of the table.
struct Row {
    name: String,
    what: String,
    burn: Burn,
    about: Duration,
}

/// Prints the plan.
pub fn plan(args: &PlanArgs, _: Color) -> Result<Exit, Refused> {
    let suite = plan::read_suite(args.suite.as_deref())?;
    let chosen = plan::choose(suite, args.env.as_deref())?;
    let planned = conformance::plan(&chosen.suite, &chosen.environment, &chosen.dialect, args.full);
    let rows = rows(&chosen, &planned);
    let total = total(&rows);
    let mut text = heading(&chosen);
    text.push_str(&table(&rows, &total));
    text.push_str(&remarks(&planned));
    let over = over_guard(&chosen, &total);
    text.push_str(&over.clone().unwrap_or_else(|| fits(&chosen, &total)));
    super::say(&text);
    if over.is_some() {
        super::note("\nexit 2 · more than the guard allows");
        return Ok(Exit::Misused);
    }
    super::note("\nexit 0 · plan only");
    Ok(Exit::Good)
}

fn heading(chosen: &Chosen) -> String {
    let environment = &chosen.environment;
    format!(
        "  Plan for {} · env {} · nothing is sent\n\n  endpoint    {}\n  guard       {}\n\n",
        chosen.suite.file.name(),
        environment.name,
        endpoint(chosen),
        guard(environment),
    )
}

fn endpoint(chosen: &Chosen) -> String {
    match &chosen.environment.target {
        Target::Mock(_) => format!("the embedded mock, {}", chosen.dialect.refresh().path),
        Target::RunningMock { .. } => "a mock that already runs".to_owned(),
        Target::Url(url) => {
            url.as_plain().unwrap_or_else(|| "named by a variable of the environment".to_owned())
        }
    }
}

fn guard(environment: &Environment) -> String {
    match &environment.guard {
        None if matches!(environment.target, Target::Url(_)) => {
            "none: nothing can be sent without one".to_owned()
        }
        None => "not needed: a mock of our own".to_owned(),
        Some(guard) => format!(
            "hosts {} · rate {} · requests {} · destructive {}",
            guard.hosts.join(", "),
            guard.rate.map_or("without limit".to_owned(), |rate| format!("{rate}/s")),
            guard.requests.map_or("without limit".to_owned(), |limit| limit.to_string()),
            if guard.destructive { "yes" } else { "no" }
        ),
    }
}

fn rows(chosen: &Chosen, planned: &[Planned]) -> Vec<Row> {
    let mut groups: IndexMap<&str, (u32, Burn, Duration)> = IndexMap::new();
    for check in planned.iter().filter(|check| check.skipped.is_none()) {
        let (count, burn, about) = groups.entry(&check.group).or_default();
        *count += 1;
        burn.requests += check.burn.requests;
        burn.chains += check.burn.chains;
        burn.families_lost += check.burn.families_lost;
        *about += check.about;
    }
    let of_groups = groups.into_iter().map(|(group, (count, burn, about))| Row {
        name: group.to_owned(),
        what: format!("{count} checks"),
        burn,
        about,
    });
    let of_profiles = chosen.suite.load.iter().map(|profile| Row {
        name: profile.name.clone(),
        what: load::asks(profile),
        burn: sentinels::burn_of(&chosen.suite, profile),
        about: profile.lasting().unwrap_or_default(),
    });
    of_groups.chain(of_profiles).collect()
}

fn total(rows: &[Row]) -> Row {
    let sum = |pick: fn(&Burn) -> u64| rows.iter().map(|row| pick(&row.burn)).sum();
    Row {
        name: "all".to_owned(),
        what: String::new(),
        burn: Burn {
            requests: sum(|burn| burn.requests),
            chains: sum(|burn| burn.chains),
            families_lost: sum(|burn| burn.families_lost),
        },
        about: rows.iter().map(|row| row.about).sum(),
    }
}

fn table(rows: &[Row], total: &Row) -> String {
    let widest = rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0).clamp(10, 44);
    let line = |row: &Row| {
        let seconds = row.about.as_millis().div_ceil(1000);
        format!(
            "  {:<11} {:<widest$} {:>10} {:>8} {:>14} {:>6}:{:02}\n",
            row.name,
            row.what,
            row.burn.requests,
            row.burn.chains,
            row.burn.families_lost,
            seconds / 60,
            seconds % 60
        )
    };
    let mut text = format!(
        "  {:<11} {:<widest$} {:>10} {:>8} {:>14} {:>9}\n",
        "", "", "requests", "chains", "families lost", "about"
    );
    for row in rows {
        text.push_str(&line(row));
    }
    let _ = writeln!(text, "  {}", "-".repeat(widest + 56));
    text.push_str(&line(total));
    text.push('\n');
    text
}

fn remarks(planned: &[Planned]) -> String {
    let mut reasons: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for check in planned {
        if let Some(reason) = &check.skipped {
            reasons.entry(reason).or_default().push(&check.id);
        }
    }
    let mut text = String::new();
    for (reason, ids) in reasons {
        let _ = writeln!(text, "  not asked   {}: {reason}", ids.join(", "));
    }
    for check in planned.iter().filter(|check| check.skipped.is_none()) {
        if let Some(harm) = &check.harm {
            let _ = writeln!(text, "  may harm    {}: {harm}", check.id);
        }
    }
    text
}

fn over_guard(chosen: &Chosen, total: &Row) -> Option<String> {
    let guard = chosen.environment.guard.as_ref()?;
    let limit = guard.requests.filter(|limit| total.burn.requests > *limit)?;
    let (line, _) = guard.at.file.line_column(guard.at.span.start);
    Some(format!(
        "  requests    {} > {limit} (environments.{}.guard.requests, line {line})\n",
        total.burn.requests, chosen.environment.name
    ))
}

fn fits(chosen: &Chosen, total: &Row) -> String {
    match chosen.environment.guard.as_ref().and_then(|guard| guard.requests) {
        Some(limit) => format!("  fits the guard: {} of {limit} requests\n", total.burn.requests),
        None => String::new(),
    }
}
