//! What a fleet comes to, for people and for scripts.

use planner::assess::fleet::{Member, Totals};
use planner::assess::report::{table, verdict};
use serde_json::{Value, json};

use super::Done;
use crate::assess::{document, text};
use crate::exit::{Code, Exit};
use crate::plan::table::aligned;
use crate::report::line;

pub(super) fn of(done: &[Done], members: &[Member<'_>], totals: &Totals, warnings: &[String]) -> Exit {
    let document = json!({ "caches": caches(done), "totals": totals, "warnings": warnings });
    let text = said(members, totals, warnings);
    let troubles: Vec<String> = [("no plan for", false), ("not read, and planned without", true)]
        .into_iter()
        .filter_map(|(what, planned)| {
            let troubled =
                members.iter().filter(|member| member.trouble.is_some() && member.plan.is_some() == planned);
            let names: Vec<&str> = troubled.map(|member| member.name).collect();
            (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
        })
        .collect();
    if !troubles.is_empty() {
        let error = format!("{}; see the table", troubles.join("; "));
        return Exit::new(Code::Failed, document, text).with_error(text::harmless(&error));
    }
    let code = if totals.blocked > 0 { Code::Differences } else { Code::Equal };
    Exit::new(code, document, text)
}

fn caches(done: &[Done]) -> Vec<Value> {
    let cache = |cache: &Done| {
        let mut document = match &cache.plan {
            Some(plan) => document::of(&cache.inventory, plan),
            None => json!({ "name": cache.name }),
        };
        if let (Value::Object(fields), Some(trouble)) = (&mut document, &cache.trouble) {
            fields.insert("error".into(), trouble.as_str().into());
        }
        document
    };
    done.iter().map(cache).collect()
}

fn said(members: &[Member<'_>], totals: &Totals, warnings: &[String]) -> String {
    let (head, mut rows) = table(members);
    let numbers: Vec<usize> = (0..).zip(&head).filter(|(_, (_, number))| *number).map(|(at, _)| at).collect();
    rows.insert(0, head.into_iter().map(|(name, _)| name).collect());
    let mut out = aligned(&rows, &numbers);
    out.push('\n');
    for (name, value) in totals.facts() {
        line(&mut out, &name, &value);
    }
    out.push('\n');
    for member in members {
        let verdict = member.plan.map(verdict);
        for said in member.trouble.into_iter().chain(verdict.as_deref()) {
            out.push_str(&format!("{}: {said}\n", member.name));
        }
    }
    for warning in warnings {
        line(&mut out, "warning", warning);
    }
    text::harmless(&out)
}
