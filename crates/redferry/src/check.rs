//! `redferry check`: preflight alone.

use engine::preflight::{self, Check, Findings, Status, Wishes};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::CheckArgs;
use crate::connect::{self, Endpoints};
use crate::exit::{Code, Exit};
use crate::wishes;

/// Runs the command.
pub(crate) async fn run(args: &CheckArgs) -> Exit {
    match try_run(args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(args: &CheckArgs) -> Result<Exit, Exit> {
    let endpoints = connect::endpoints(&args.sides)?;
    wishes::selection(&args.choice)?;
    let names = wishes::name_rules(&args.choice)?;
    let wishes = wishes::wishes(
        &args.choice,
        &args.preflight,
        endpoints.source_address.database,
        endpoints.target_address.database,
    )?;
    let findings = probe(&endpoints, &wishes).await?;
    names.naming(&wishes, &findings.databases)?;
    let text = format!("{}\n", findings.table());
    Ok(match refusal(findings.refusals()) {
        None => Exit::new(Code::Equal, document(&findings), text),
        Some(why) => Exit::new(Code::Refused, document(&findings), text).with_error(why),
    })
}

/// Asks both sides.
pub(crate) async fn probe(endpoints: &Endpoints, wishes: &Wishes) -> Result<Findings, Exit> {
    preflight::probe(&endpoints.source, &endpoints.target, wishes)
        .await
        .map_err(|error| Exit::failed(error.to_string()))
}

/// Why nothing must begin, if so.
pub(crate) fn refusal<'a>(refusals: impl Iterator<Item = &'a Check>) -> Option<String> {
    let reasons: Vec<String> = refusals
        .map(|check| {
            if check.remedy.is_empty() {
                check.text.clone()
            } else {
                format!("{}; {}", check.text, check.remedy)
            }
        })
        .collect();
    (!reasons.is_empty()).then(|| format!("refused: {}", reasons.join("\nredferry: refused: ")))
}

/// Nothing was begun, with what was found in the document.
pub(crate) fn refused(findings: &impl Serialize, why: String) -> Exit {
    Exit::new(Code::Refused, document(findings), String::new()).with_error(why)
}

/// Tells the warnings.
pub(crate) fn warn(checks: &[Check]) {
    for check in checks.iter().filter(|check| check.status == Status::Warning) {
        tracing::warn!("{}; {}", check.text, check.remedy);
    }
}

fn document(findings: &impl Serialize) -> Value {
    json!({
        "findings": serde_json::to_value(findings).unwrap_or(Value::Null),
    })
}
