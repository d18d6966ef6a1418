//! `redferry verify` after the copy, and whether it notices anything.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use testkit::Access;

use super::spoil;
use crate::program;

/// Both caches, and who compares them.
#[derive(Debug)]
pub struct Proof<'a> {
    /// redferry.
    pub program: &'a Path,
    /// The cache that was copied.
    pub source: &'a Access,
    /// Its copy.
    pub target: &'a Access,
    /// Where it runs.
    pub folder: &'a Path,
}

impl Proof<'_> {
    /// Lets redferry say that both are equal.
    ///
    /// # Errors
    /// They are not, or it cannot tell.
    pub async fn equal(&self) -> Result<()> {
        self.verify(&[]).await?;
        Ok(())
    }

    /// Spoils three keys, and lets redferry find and repair exactly those.
    ///
    /// # Errors
    /// It names others, or fewer, or they are not equal afterwards.
    pub async fn bites(&self) -> Result<()> {
        let spoiled = spoil::three_keys(self.target).await?;
        for key in &spoiled {
            println!("   {:<12} {}", key.key, key.how);
        }
        let said = self.verify(&["--repair", "--show-keys", "--until-stable", "1s"]).await?;
        let spoiled: BTreeSet<&str> = spoiled.iter().map(|key| key.key.as_str()).collect();
        let named = named(&said);
        ensure!(named == spoiled, "{spoiled:?} were spoiled, but redferry named {named:?}");
        let all = super::thousands(super::COMMON_KEYS);
        println!("\n   Of the {all} keys {}... it named these three and no other. Once more:", spoil::PREFIX);
        self.equal().await
    }

    /// Runs it to its end, and returns what it said.
    async fn verify(&self, options: &[&str]) -> Result<String> {
        let line = ["redferry verify --source ... --target ..."].iter().chain(options).copied();
        println!("\n   $ {}\n", line.collect::<Vec<_>>().join(" "));
        let begin = Instant::now();
        let mut command = program::redferry(self.program, "verify", self.source, self.target, self.folder);
        let output = command
            .args(options)
            .stderr(Stdio::inherit())
            .output()
            .await
            .context("redferry cannot be started")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        print!("{said}");
        if !output.status.success() {
            bail!("redferry verify ended with {}; its own words are above", output.status);
        }
        println!("\n   exit code 0 after {:.1} s", begin.elapsed().as_secs_f64());
        Ok(said)
    }
}

/// The keys of the demo's common kind that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':')
        .filter(|word| word.strip_prefix(spoil::PREFIX).is_some_and(|number| number.parse::<u64>().is_ok()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn names_are_found_in_any_layout() {
        let text = "mixed:   3\n value  -> \"mixed:12\", db0 mixed:7\n mixed:x  mixed: 200,550 mixed:12";
        assert_eq!(named(text).into_iter().collect::<Vec<_>>(), ["mixed:12", "mixed:7"]);
    }
}
