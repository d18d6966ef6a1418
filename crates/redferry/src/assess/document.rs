//! The plan as JSON.

use planner::assess::{Inventory, Plan, Severity};
use serde_json::{Value, json};

/// The plan with what others rely on at the top.
pub(super) fn of(inventory: &Inventory, plan: &Plan) -> Value {
    let mut document = serde_json::to_value(plan).unwrap_or(Value::Null);
    if let Value::Object(fields) = &mut document {
        let address = inventory.address.as_ref().map(|address| format!("{}:{}", address.host, address.port));
        fields.insert("address".into(), address.into());
        fields.insert("sku".into(), plan.size.as_ref().map(|size| size.sku.clone()).into());
        fields.insert("clustering_policy".into(), json!(plan.clustering.policy));
        fields.insert("metrics".into(), json!(inventory.metrics));
        let count = |severity: &Severity| (severity.as_str().to_owned(), json!(plan.count(*severity)));
        fields.insert(
            "counts".into(),
            Severity::ALL.iter().map(count).collect::<serde_json::Map<_, _>>().into(),
        );
    }
    document
}
