//! Sizes as lvm's reports write them.

/// Units from the largest down, with their letters.
const UNITS: [(u32, char); 6] = [(60, 'e'), (50, 'p'), (40, 't'), (30, 'g'), (20, 'm'), (10, 'k')];

/// Words a size, such as `255.00m`; `<` says that it is a little less.
///
/// Source: vgs(8) of lvm2 2.03.16, `--units r`.
pub(super) fn size(bytes: u64) -> String {
    let Some((bits, letter)) = UNITS.into_iter().find(|(bits, _)| bytes >> bits > 0) else {
        return if bytes == 0 { "0".to_owned() } else { format!("{bytes}b") };
    };
    let (hundredths, rest) = {
        let scaled = u128::from(bytes) * 100;
        (scaled >> bits, scaled & ((1 << bits) - 1))
    };
    let is_rounded_up = rest >= 1 << (bits - 1);
    let shown = hundredths + u128::from(is_rounded_up);
    let less = if is_rounded_up { "<" } else { "" };
    format!("{less}{}.{:02}{letter}", shown / 100, shown % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_lvm_writes_them() {
        for (bytes, expected) in [
            (0, "0"),
            (512, "512b"),
            (267_386_880, "255.00m"),
            (4 << 20, "4.00m"),
            ((1 << 30) - (4 << 20), "1020.00m"),
            (1 << 30, "1.00g"),
            // 1.99609375 GiB.
            ((2 << 30) - (4 << 20), "<2.00g"),
            (10_737_418_240, "10.00g"),
            (10_733_223_936, "<10.00g"),
            (u64::MAX, "<16.00e"),
            (65536, "64.00k"),
        ] {
            assert_eq!(size(bytes), expected, "{bytes}");
        }
    }
}
