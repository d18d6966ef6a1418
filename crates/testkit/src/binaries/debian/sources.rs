//! The package sources that APT of this machine is set up with, in both of APT's formats (sources.list(5)).

use std::fs;
use std::path::{Path, PathBuf};

/// One suite on one mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mirror {
    uri: String,
    suite: String,
    signed_by: Option<String>,
}

impl Mirror {
    /// The line of a `sources.list` that stands for this mirror.
    pub(super) fn source_line(&self) -> String {
        let option = self.signed_by.as_ref().map(|path| format!("[signed-by={path}] ")).unwrap_or_default();
        format!("deb {option}{} {} main\n", self.uri, self.suite)
    }
}

/// The running release's code name, if this is Debian.
pub(super) fn running_release() -> Option<String> {
    release_named_in(&fs::read_to_string("/etc/os-release").ok()?)
}

/// The mirrors of `running`, with its name exchanged for `wanted`.
pub(super) fn mirrors_of(running: &str, wanted: &str) -> Vec<Mirror> {
    let configured = source_files().iter().filter_map(|path| read(path)).flatten().collect();
    exchanged(configured, running, wanted)
}

fn source_files() -> Vec<PathBuf> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        let mut parts: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        parts.sort();
        files.extend(parts);
    }
    files
}

fn read(path: &Path) -> Option<Vec<Mirror>> {
    let text = fs::read_to_string(path).ok()?;
    match path.extension()?.to_str()? {
        "list" => Some(text.lines().flat_map(one_line).collect()),
        "sources" => Some(stanzas(&text).iter().flat_map(|stanza| deb822(stanza)).collect()),
        _ => None,
    }
}

/// Keeps the release itself and its security updates. `-updates` and `-backports` are not needed.
fn exchanged(configured: Vec<Mirror>, running: &str, wanted: &str) -> Vec<Mirror> {
    let mut mirrors: Vec<Mirror> = Vec::new();
    for mirror in configured {
        let suite = match mirror.suite.strip_prefix(running) {
            Some("") => wanted.to_owned(),
            Some("-security") => format!("{wanted}-security"),
            _ => continue,
        };
        let mirror = Mirror { suite, ..mirror };
        if !mirrors.contains(&mirror) {
            mirrors.push(mirror);
        }
    }
    // Security updates alone cannot provide the packages that never had one.
    if mirrors.iter().any(|mirror| mirror.suite == wanted) { mirrors } else { Vec::new() }
}

/// `deb [signed-by=/path] URI SUITE COMPONENT...`
fn one_line(line: &str) -> Option<Mirror> {
    let rest = line.trim().strip_prefix("deb ")?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
    Some(Mirror {
        uri: words.next()?.to_owned(),
        suite: words.next()?.to_owned(),
        signed_by: signed_by.map(str::to_owned),
    })
}

/// Paragraphs of a deb822 file, as field names in lower case with their values.
fn stanzas(text: &str) -> Vec<Vec<(String, String)>> {
    let mut all = vec![Vec::<(String, String)>::new()];
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.trim().is_empty() {
            all.push(Vec::new());
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = all.last_mut().and_then(|stanza| stanza.last_mut()) {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let (Some((field, value)), Some(stanza)) = (line.split_once(':'), all.last_mut()) {
            stanza.push((field.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    all
}

fn deb822(stanza: &[(String, String)]) -> Vec<Mirror> {
    let field = |name: &str| stanza.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value);
    if !field("types").split_whitespace().any(|kind| kind == "deb") || field("enabled") == "no" {
        return Vec::new();
    }
    // A key may also stand in the file itself; only a path can be carried over.
    let signed_by = Some(field("signed-by")).filter(|path| path.starts_with('/')).map(str::to_owned);
    let suites = field("suites").split_whitespace();
    suites
        .flat_map(|suite| {
            field("uris").split_whitespace().map(|uri| Mirror {
                uri: uri.to_owned(),
                suite: suite.to_owned(),
                signed_by: signed_by.clone(),
            })
        })
        .collect()
}

fn release_named_in(os_release: &str) -> Option<String> {
    let value = |name: &str| {
        os_release
            .lines()
            .find_map(|line| Some(line.strip_prefix(name)?.strip_prefix('=')?.trim_matches('"')))
    };
    if value("ID")? == "debian" { value("VERSION_CODENAME").map(str::to_owned) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mirrors: &[Mirror]) -> Vec<String> {
        mirrors.iter().map(Mirror::source_line).collect()
    }

    #[test]
    fn reads_both_formats_and_exchanges_the_release() {
        let deb822_text = "Types: deb\n# a comment\nURIs: http://mirror.test/debian\nSuites: bookworm bookworm-updates\n\
            Components: main\nSigned-By: /keys/debian.gpg\n\nTypes: deb deb-src\nURIs: http://mirror.test/sec\n\
            Suites:\n bookworm-security\nComponents: main\n\nTypes: deb\nEnabled: no\nURIs: http://off.test/\nSuites: bookworm\n";
        let mut all: Vec<Mirror> = stanzas(deb822_text).iter().flat_map(|stanza| deb822(stanza)).collect();
        all.extend(one_line("deb [arch=amd64 signed-by=/k.gpg] https://other.test/d bookworm main contrib"));
        all.extend(one_line("# deb https://commented.test/ bookworm main"));
        all.extend(one_line("deb https://vendor.test nodistro main"));
        assert_eq!(
            lines(&exchanged(all, "bookworm", "bullseye")),
            [
                "deb [signed-by=/keys/debian.gpg] http://mirror.test/debian bullseye main\n",
                "deb http://mirror.test/sec bullseye-security main\n",
                "deb [signed-by=/k.gpg] https://other.test/d bullseye main\n",
            ]
        );
    }

    #[test]
    fn other_distributions_have_no_debian_mirror() {
        assert_eq!(release_named_in("ID=ubuntu\nVERSION_CODENAME=noble\n"), None);
        assert_eq!(release_named_in("VERSION_CODENAME=\"trixie\"\nID=debian\n").as_deref(), Some("trixie"));
        let security_only: Vec<Mirror> =
            one_line("deb http://m.test/s bookworm-security main").into_iter().collect();
        assert_eq!(exchanged(security_only, "bookworm", "bullseye"), []);
    }
}
