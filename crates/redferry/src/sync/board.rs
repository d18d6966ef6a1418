//! What the endpoint shows of a sync, and the orders that it passes on.

use ::verify::Sample;
use axum::http::StatusCode;
use engine::SyncStatus;
use migration::follow::Phase;
use serde_json::{Value, json};

use super::direction::Turn;
use super::session::{Helm, Ordered};
use super::turn::TurnOrder;
use crate::endpoint::{Board, Order, Refused};

impl Board for Helm {
    fn document(&self) -> Value {
        self.overview().document()
    }

    fn status(&self) -> Option<SyncStatus> {
        self.overview().status()
    }

    fn readiness(&self) -> Result<(), Vec<String>> {
        let Some(status) = self.overview().status() else {
            return Err(vec!["the sync has not begun".into()]);
        };
        let unheard = status.nodes.iter().filter(|node| !node.heard);
        let mut reasons: Vec<String> =
            unheard.map(|node| format!("source {}: its changes are not heard", node.node)).collect();
        let open = status.gaps.iter().filter(|gap| gap.healed_us.is_none());
        reasons.extend(open.map(|gap| {
            let since = gap.since_us / 1_000_000;
            format!("source {}: a gap is open since {since} s: {}", gap.node, gap.reason.name())
        }));
        if reasons.is_empty() && status.phase != Phase::Following {
            reasons.push(format!("the sync is {}", status.phase.name()));
        }
        if reasons.is_empty() { Ok(()) } else { Err(reasons) }
    }

    fn order(&self, order: Order, body: Value) -> Result<Value, Refused> {
        let conflict = |sentence: String| Refused { code: StatusCode::CONFLICT, sentence };
        let turn = match order {
            Order::CutOver => Turn::CutOver,
            Order::RollBack => Turn::RollBack,
            Order::Cancel if self.cancel() => return Ok(json!({ "cancelled": true })),
            Order::Cancel => return Err(conflict("there is nothing to cancel".to_owned())),
        };
        let order: TurnOrder = serde_json::from_value(body).map_err(|error| Refused {
            code: StatusCode::BAD_REQUEST,
            sentence: format!("the order: {error}"),
        })?;
        if Sample::new(order.sample).is_none() {
            let sentence = "the order: sample is a share of more than 0 and at most 1".to_owned();
            return Err(Refused { code: StatusCode::BAD_REQUEST, sentence });
        }
        Helm::order(self, Ordered { turn, order }).map_err(conflict)?;
        Ok(json!({ "turn": turn.name() }))
    }
}
