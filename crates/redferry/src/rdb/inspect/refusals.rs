//! What Azure Managed Redis' own import would refuse or lose, and what redferry's does instead.

use indicatif::HumanCount;

use super::survey::Survey;

/// The newest version that Azure Managed Redis imports from a file.
const NEWEST_IMPORTED: u16 = 11;

/// Types of the modules that Azure Managed Redis offers: JSON, time series, and the filters and sketches of Bloom.
const OFFERED: [&str; 7] =
    ["ReJSON-RL", "TSDB-TYPE", "MBbloom--", "MBbloomCF", "CMSk-TYPE", "TopK-TYPE", "TDIS-TYPE"];

/// One reason. `id` does not change once published.
pub(crate) struct Refusal {
    pub(crate) id: &'static str,
    /// How many keys, libraries or the like.
    pub(crate) count: u64,
    pub(crate) text: String,
    pub(crate) remedy: &'static str,
}

/// Everything that stands in the way.
pub(crate) fn of(survey: &Survey) -> Vec<Refusal> {
    let mut found = Vec::new();
    let mut refuse = |id, count: u64, text: String, remedy| {
        if count > 0 {
            found.push(Refusal { id, count, text, remedy });
        }
    };
    let too_new: Vec<u16> = survey
        .files
        .iter()
        .filter_map(|file| file.version)
        .filter(|version| *version > NEWEST_IMPORTED)
        .collect();
    refuse(
        "rdb_version",
        too_new.len() as u64,
        format!(
            "RDB version {}, and it imports up to {NEWEST_IMPORTED}",
            survey.version().unwrap_or_default()
        ),
        "redferry rdb convert IN OUT --version 11, or redferry rdb import",
    );
    let elsewhere: u64 =
        survey.databases.iter().filter(|(db, _)| **db > 0).map(|(_, count)| count.keys).sum();
    refuse(
        "databases",
        elsewhere,
        format!(
            "{} keys are in other databases than 0, which is the only one that it has",
            HumanCount(elsewhere)
        ),
        "redferry rdb import --prefix-by-db or --db-map brings them into database 0",
    );
    let module = |offered: bool| -> (u64, Vec<&str>) {
        let of = survey.encodings.iter().filter(|((name, encoding), _)| {
            *encoding == "module" && OFFERED.contains(&name.as_str()) == offered
        });
        let (keys, mut names) = of.fold((0, Vec::new()), |(keys, mut names), ((name, _), count)| {
            names.push(name.as_str());
            (keys + count.keys, names)
        });
        names.dedup();
        (keys, names)
    };
    let (keys, names) = module(false);
    refuse(
        "modules",
        keys,
        format!("{} keys are of module types that it does not have: {}", HumanCount(keys), names.join(", ")),
        "leave them out (redferry rdb import --type ...), or keep them elsewhere",
    );
    let (keys, names) = module(true);
    refuse(
        "modules_to_enable",
        keys,
        format!("{} keys need a module: {}", HumanCount(keys), names.join(", ")),
        "enable the module when the database is created; later is not possible",
    );
    let functions = survey.files.iter().map(|file| file.functions).sum::<u64>();
    refuse(
        "functions",
        functions,
        format!(
            "{} libraries of functions, which an import does not promise to carry",
            HumanCount(functions)
        ),
        "redferry rdb import --functions loads them, or load them by FUNCTION LOAD",
    );
    refuse(
        "too_large",
        survey.too_large,
        format!(
            "{} values are above 512 MB, the most that one command carries",
            HumanCount(survey.too_large)
        ),
        "redferry rdb import carries them in pieces; strings above 512 MB have to be split in the application",
    );
    refuse(
        "field_expiry",
        survey.field_expiry,
        format!(
            "fields of {} hashes may expire, which only RDB version 12 holds",
            HumanCount(survey.field_expiry)
        ),
        "redferry rdb import carries them; a file of version 11 cannot",
    );
    found
}
