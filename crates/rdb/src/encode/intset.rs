//! Sorted integers of one width (intset.c).

/// An intset: bytes of a number (4), count (4), the numbers in ascending order; all little-endian.
pub(super) fn intset(mut numbers: Vec<i64>) -> Vec<u8> {
    numbers.sort_unstable();
    let fits = |bits: u32| numbers.iter().all(|number| (number << (64 - bits)) >> (64 - bits) == *number);
    let width = if fits(16) {
        2
    } else if fits(32) {
        4
    } else {
        8
    };
    let mut bytes = Vec::with_capacity(8 + numbers.len() * width);
    bytes.extend_from_slice(&(width as u32).to_le_bytes());
    bytes.extend_from_slice(&(numbers.len() as u32).to_le_bytes());
    for number in &numbers {
        bytes.extend_from_slice(&number.to_le_bytes()[..width]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_number_decides() {
        assert_eq!(intset(vec![5, -32_768]), b"\x02\0\0\0\x02\0\0\0\x00\x80\x05\x00");
        assert_eq!(intset(vec![32_768]), b"\x04\0\0\0\x01\0\0\0\x00\x80\x00\x00");
        assert_eq!(intset(vec![i64::MIN]), b"\x08\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\x80");
    }
}
