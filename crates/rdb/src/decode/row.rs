//! Elements: as they stand in the encodings that are no single string, and made of the cells of those that are.

use crate::error::Problem;
use crate::scan::{LONGEST, Scan, Stop};
use crate::value::Field;

use super::Element;
use super::cell::{Cells, real, score};

/// What follows a count, that many times.
#[derive(Debug, Clone, Copy)]
pub(super) enum Row {
    Item,
    Member,
    /// A member, and its score as text.
    OldScored,
    /// A member, and its score as a double.
    Scored,
    Field,
    /// When the field expires (0: never), and the field. Redis 7.4 counts from one before the first expiry of all.
    ExpiringField {
        base: u64,
    },
    /// The field, and when it expires (-1: never). Of Valkey.
    FieldExpiring,
}

impl Row {
    pub(super) fn read(self, scan: &mut Scan<'_>) -> Result<Element, Stop> {
        Ok(match self {
            Row::Item => Element::Item(scan.string(LONGEST)?),
            Row::Member => Element::Member(scan.string(LONGEST)?),
            Row::OldScored => Element::Scored(scan.string(LONGEST)?, old_score(scan)?),
            Row::Scored => Element::Scored(scan.string(LONGEST)?, real(scan.double()?)?),
            Row::Field => Element::Field(field(scan)?),
            Row::ExpiringField { base } => {
                let expires = scan.length()?;
                let mut field = field(scan)?;
                if expires > 0 {
                    let at = base.checked_add(expires - 1);
                    field.expires_at_ms = Some(at.ok_or(Problem::Malformed("a field expires at no time"))?);
                }
                Element::Field(field)
            }
            Row::FieldExpiring => {
                let mut field = field(scan)?;
                let at = scan.number()?;
                field.expires_at_ms = if at == -1 { None } else { Some(u64::try_from(at).unwrap_or(0)) };
                Element::Field(field)
            }
        })
    }
}

fn field(scan: &mut Scan<'_>) -> Result<Field, Stop> {
    Ok(Field { name: scan.string(LONGEST)?, value: scan.string(LONGEST)?, expires_at_ms: None })
}

fn old_score(scan: &mut Scan<'_>) -> Result<f64, Stop> {
    Ok(match scan.byte()? {
        253 => real(f64::NAN)?,
        254 => f64::INFINITY,
        255 => f64::NEG_INFINITY,
        length => score(&scan.bytes(u64::from(length))?)?,
    })
}

/// What the cells of a container make.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Items,
    Members,
    Scored,
    Fields,
    /// Field, value, and when it expires (0: never).
    ExpiringFields,
}

impl Shape {
    /// The next element; `None` at the end.
    pub(super) fn read(self, cells: &mut Cells) -> Result<Option<Element>, Problem> {
        let Some(first) = cells.next()? else { return Ok(None) };
        Ok(Some(match self {
            Shape::Items => Element::Item(first.into_text()),
            Shape::Members => Element::Member(first.into_text()),
            Shape::Scored => Element::Scored(first.into_text(), real(cells.partner()?.score()?)?),
            Shape::Fields | Shape::ExpiringFields => {
                let (name, value) = (first.into_text(), cells.partner()?.into_text());
                let expires = match self {
                    Shape::ExpiringFields => cells.partner()?.number()?,
                    _ => 0,
                };
                let expires = u64::try_from(expires)
                    .map_err(|_| Problem::Malformed("a field expires before all time"))?;
                Element::Field(Field { name, value, expires_at_ms: (expires > 0).then_some(expires) })
            }
        }))
    }
}
