//! INFO.

use std::collections::BTreeMap;

/// The fields of INFO, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    fields: BTreeMap<String, String>,
}

/// Reads the answer to INFO; lines that are none of `name:value` are passed over.
pub fn info(text: &str) -> Info {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let fields = lines.filter_map(|line| line.trim_end().split_once(':'));
    Info { fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect() }
}

impl Info {
    pub fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }

    pub fn number(&self, field: &str) -> Option<u64> {
        self.text(field)?.trim().parse().ok()
    }

    /// A number with decimals, such as kilobytes per second.
    pub fn decimal(&self, field: &str) -> Option<f64> {
        self.text(field)?.trim().parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
    }

    /// Databases with keys: number, keys, keys that expire.
    pub fn databases(&self) -> impl Iterator<Item = (u32, u64, u64)> + '_ {
        self.fields.iter().filter_map(|(name, value)| {
            let database = name.strip_prefix("db")?.parse().ok()?;
            let number = |wanted: &str| {
                let mut pairs = value.split(',').filter_map(|pair| pair.split_once('='));
                pairs.find(|(name, _)| *name == wanted)?.1.parse().ok()
            };
            Some((database, number("keys")?, number("expires").unwrap_or(0)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_databases_are_read() {
        let info = info(
            "# Memory\r\nused_memory:1048576\r\nmaxmemory_policy:volatile-lru\r\n\r\n# Keyspace\r\n\
             db0:keys=10,expires=4,avg_ttl=0\r\ndb12:keys=3,expires=0,avg_ttl=0\r\ndbase:none\r\nodd line\r\n\
             instantaneous_input_kbps:1.50\r\n",
        );
        assert_eq!(info.number("used_memory"), Some(1_048_576));
        assert_eq!(info.text("maxmemory_policy"), Some("volatile-lru"));
        assert_eq!(info.decimal("instantaneous_input_kbps"), Some(1.5));
        assert_eq!(info.databases().collect::<Vec<_>>(), [(0, 10, 4), (12, 3, 0)]);
        assert_eq!(info.number("absent"), None);
    }
}
