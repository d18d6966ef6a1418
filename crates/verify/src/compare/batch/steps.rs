//! What is asked next about a key, by what is known of it.

use client::Read;

use super::{Batch, Demands};
use crate::compare::elements::ElementsJob;
use crate::compare::fields::{FieldsJob, Terms};
use crate::compare::job::{Asker, Finding, Job};
use crate::compare::kind::ValueKind;
use crate::compare::line::{Refusal, Want};
use crate::compare::lines::Lines;
use crate::compare::look::{End, Load, Look, Step};
use crate::compare::module::{LARGEST, ModuleJob};
use crate::compare::page::PageSize;
use crate::compare::sides::{BOTH, SOURCE};
use crate::compare::stream::StreamJob;
use crate::compare::text::{PIECE, TextJob};
use crate::digest::part;
use crate::options::Level;
use crate::outcome::Kind;

/// A string that is not longer is there with one read.
const BEGINNING: u64 = 16 << 10;

/// What a value is taken for whose memory the source does not tell; it is read in pages.
const UNKNOWN_BYTES: u64 = 64 << 10;

/// A type that turns out to be another one so often is one that changes.
const SURPRISES: u8 = 2;

impl Batch<'_> {
    /// Asks for what the type tells about the size.
    pub(super) fn ask_sizes(&mut self, index: usize, lines: &mut Lines) {
        let names = self.names(index);
        let is_full = self.demands.level == Level::Full;
        let look = &mut self.looks[index];
        let mut asker = Asker::new(lines, look.routes, names, index as u32);
        for side in BOTH {
            let name = asker.name(side);
            let (want, read) = match look.kind {
                ValueKind::Text if is_full => (Want::Beginning, Read::GetRange(name, 0, BEGINNING - 1)),
                ValueKind::Text => (Want::Size, Read::StrLen(name)),
                ValueKind::List => (Want::Size, Read::LLen(name)),
                ValueKind::Set => (Want::Size, Read::SCard(name)),
                ValueKind::Hash => (Want::Size, Read::HLen(name)),
                ValueKind::Zset => (Want::Size, Read::ZCard(name)),
                ValueKind::Stream => (Want::Size, Read::XLen(name)),
                ValueKind::Other => (Want::Type, Read::Type(name)),
            };
            asker.push(side, want, read);
        }
        if is_full && look.kind != ValueKind::Text && *self.memory_usage && !look.memory_asked {
            look.memory_asked = true;
            asker.push(SOURCE, Want::Memory, Read::MemoryUsage(names[SOURCE]));
        }
        look.waiting += asker.asked();
    }

    /// All replies to the last questions about a key came.
    pub(super) fn step(&mut self, index: usize, lines: &mut Lines) {
        match self.looks[index].step {
            Step::First => self.after_first(index, lines),
            Step::Type => self.after_type(index, lines),
            Step::Size => self.after_sizes(index, lines),
            Step::Length => self.after_length(index),
            Step::Job => self.run_job(index, lines),
        }
    }

    fn after_first(&mut self, index: usize, lines: &mut Lines) {
        let look = &mut self.looks[index];
        if let Some(refusal @ (Refusal::NotAllowed | Refusal::Other)) = look.refusal() {
            return self.end(index, Look::refused(refusal));
        }
        match look.exists() {
            [true, true] => {}
            [false, false] => return self.end(index, End::Gone),
            [there, _] => return self.end(index, End::OnlyNotOn(usize::from(there))),
        }
        self.after_sizes(index, lines);
    }

    fn after_sizes(&mut self, index: usize, lines: &mut Lines) {
        let look = &mut self.looks[index];
        match look.refusal() {
            None => {}
            Some(Refusal::WrongType) if look.surprises < SURPRISES => {
                return self.ask_type(index, lines);
            }
            Some(refusal) => return self.end(index, Look::refused(refusal)),
        }
        match look.kind {
            ValueKind::Text => self.judge_text(index, lines),
            ValueKind::Other => self.after_type(index, lines),
            _ => self.judge_collection(index),
        }
    }

    fn ask_type(&mut self, index: usize, lines: &mut Lines) {
        let names = self.names(index);
        let look = &mut self.looks[index];
        look.surprises += 1;
        look.step = Step::Type;
        let mut asker = Asker::new(lines, look.routes, names, index as u32);
        for side in BOTH {
            look.sides[side].refusal = None;
            asker.push(side, Want::Type, Read::Type(names[side]));
        }
        look.waiting = asker.asked();
    }

    fn after_type(&mut self, index: usize, lines: &mut Lines) {
        let look = &mut self.looks[index];
        if let Some(refusal) = look.refusal() {
            return self.end(index, Look::refused(refusal));
        }
        let names = look.sides.each_ref().map(|seen| seen.type_name.as_deref().unwrap_or(b"none"));
        if names.contains(&&b"none"[..]) {
            return self.end(index, End::Torn);
        }
        if !look.finding.compare(Kind::Type, names.map(part)) {
            return self.end(index, End::Judged);
        }
        // Types alone say nothing that the guess would not have said.
        look.finding = Finding::default();
        look.kind = ValueKind::of(names[SOURCE]);
        self.guesses.learn(&self.pairs[index].key, look.kind);
        if look.kind == ValueKind::Other {
            return self.judge_module(index, lines);
        }
        look.step = Step::Size;
        self.ask_sizes(index, lines);
    }

    fn judge_text(&mut self, index: usize, lines: &mut Lines) {
        let names = self.names(index);
        let is_full = self.demands.level == Level::Full;
        let look = &mut self.looks[index];
        if is_full && look.sizes().iter().any(|size| *size >= BEGINNING) {
            look.step = Step::Length;
            let mut asker = Asker::new(lines, look.routes, names, index as u32);
            for side in BOTH {
                asker.push(side, Want::Size, Read::StrLen(names[side]));
            }
            look.waiting = asker.asked();
            return;
        }
        let sizes = look.sizes().map(u128::from);
        look.finding.compare(Kind::Value, sizes);
        if is_full {
            let digests = [look.sides[0].digest, look.sides[1].digest];
            look.finding.compare(Kind::Value, digests);
        }
        self.end(index, End::Judged);
    }

    fn after_length(&mut self, index: usize) {
        let look = &mut self.looks[index];
        if let Some(refusal) = look.refusal() {
            return self.end(index, Look::refused(refusal));
        }
        let sizes = look.sizes();
        if !look.finding.compare(Kind::Value, sizes.map(u128::from)) {
            return self.end(index, End::Judged);
        }
        let whole = self.demands.big_key.min(PIECE);
        look.job = Some(Box::new(TextJob::new(sizes[0], PIECE)));
        let load = if sizes[0] <= whole { Load::Bytes(sizes[0]) } else { Load::Pieces };
        self.enqueue(index, load);
    }

    fn judge_collection(&mut self, index: usize) {
        let fields_expire = self.looks[index].kind == ValueKind::Hash && self.fields_expire;
        let look = &mut self.looks[index];
        let sizes = look.sizes();
        if self.demands.level != Level::Full {
            look.finding.compare(Kind::Value, sizes.map(u128::from));
            return self.end(index, End::Judged);
        }
        let (load, pages) = reading(look.memory, sizes[0], &self.demands);
        let job: Box<dyn Job> = match look.kind {
            ValueKind::Stream => Box::new(StreamJob::new(sizes, pages)),
            // HLEN counts fields whose time is over until the server has removed them: it decides nothing then.
            kind if fields_expire => Box::new(ElementsJob::new(kind, sizes, pages)),
            kind => {
                if !look.finding.compare(Kind::Value, sizes.map(u128::from)) {
                    return self.end(index, End::Judged);
                }
                Box::new(ElementsJob::new(kind, sizes, pages))
            }
        };
        look.job = Some(job);
        self.enqueue(index, load);
    }

    fn judge_module(&mut self, index: usize, lines: &mut Lines) {
        let names = self.names(index);
        let look = &mut self.looks[index];
        if self.demands.level != Level::Full {
            return self.end(index, End::Judged);
        }
        if *self.memory_usage && !look.memory_asked {
            look.memory_asked = true;
            let mut asker = Asker::new(lines, look.routes, names, index as u32);
            asker.push(SOURCE, Want::Memory, Read::MemoryUsage(names[SOURCE]));
            look.waiting = asker.asked();
            // The types are known: this comes back here.
            look.step = Step::Type;
            return;
        }
        let bytes = look.memory.unwrap_or(UNKNOWN_BYTES);
        if bytes > LARGEST.max(self.demands.big_key) {
            return self.end(index, End::NotCompared("module_value_too_big"));
        }
        look.job = Some(Box::new(ModuleJob::default()));
        self.enqueue(index, Load::Bytes(bytes));
    }

    /// Lets a key's job ask on; what it found when it does not.
    pub(super) fn run_job(&mut self, index: usize, lines: &mut Lines) {
        let names = self.names(index);
        let look = &mut self.looks[index];
        if let Some(refusal) = look.refusal() {
            return self.end(index, Look::refused(refusal));
        }
        while let Some(mut job) = look.job.take() {
            let mut asker = Asker::new(lines, look.routes, names, index as u32);
            job.ask(&mut asker);
            look.waiting = asker.asked();
            if look.waiting > 0 {
                look.job = Some(job);
                return;
            }
            look.finding.join(job.finding());
            if look.kind == ValueKind::Hash && self.fields_expire && !look.fields_asked {
                look.fields_asked = true;
                let terms = Terms {
                    known: lines.sides.abilities.knows_field_expiry,
                    clocks: look.routes.map(|route| lines.line(route).clock),
                    now_us: lines.sides.now_us(),
                    tolerance_us: self.demands.tolerance_us,
                };
                look.job = Some(Box::new(FieldsJob::new(terms)));
            }
        }
        let end = look.finding.not_compared.map_or(End::Judged, End::NotCompared);
        self.end(index, end);
    }
}

/// Whether a collection is read whole or in pages, and what that costs.
fn reading(memory: Option<u64>, elements: u64, demands: &Demands) -> (Load, Option<PageSize>) {
    match memory {
        Some(bytes) if bytes <= demands.big_key => (Load::Bytes(bytes), None),
        Some(bytes) => (Load::Pieces, Some(PageSize::new(bytes.checked_div(elements)))),
        None => (Load::Bytes(UNKNOWN_BYTES), Some(PageSize::new(None))),
    }
}
