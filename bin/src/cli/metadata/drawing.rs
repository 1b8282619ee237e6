//! `metadata show`: a VG drawn, readable at 60 columns.
//!
//! ```text
//! PVs
//!   /dev/vda  255.00m, 195.00m free
//!   [aaaaabb··cccc··············································]
//!     a home  b root  c swap  · free
//! ```
//!
//! Each cell of a bar is the same share of its PV; it shows what most of that share is used for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lvmwarden_protocol::api::metadata::{Area, Completeness, Lv, Piece, Pv, Segment, ShowReply, Vg};

use super::size::size;
use super::tables::{device, fullness, name, trouble};
use super::{count, freshness};
use crate::cli::screen::{BAD, BOLD, DIM, ODD, USUAL, plain, styled};
use crate::cli::table::{Cell, Table};

/// How many cells a bar has.
const CELLS: u64 = 54;
/// The letters of the LVs of a VG; where there are more LVs, the rest share the last.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#";
/// What is free.
const FREE: char = '·';

/// Draws a VG.
pub(super) fn vg(reply: &ShowReply) -> String {
    let letters = letters(&reply.pvs);
    let mut text = vec![heading(&reply.vg), format!("\n{}\n", styled("PVs", BOLD))];
    text.extend(reply.pvs.iter().map(|pv| of_pv(pv, &letters)));
    if !letters.is_empty() {
        text.push(legend(&letters));
    }
    let none = if reply.lvs.is_empty() { " none" } else { "" };
    text.push(format!("\n{}{none}\n", styled("LVs", BOLD)));
    text.push(lvs(&reply.lvs));
    text.concat()
}

fn heading(vg: &Vg) -> String {
    let mut text = vec![format!(
        "{}  {}  {} in {}, {} free\n",
        styled(&plain(&vg.vgname), BOLD),
        plain(&vg.attr),
        size(vg.size_bytes),
        count(vg.pvs, "PV"),
        size(vg.free_bytes)
    )];
    text.push(format!("  seqno {}, extents of {}\n", vg.seqno, size(vg.extent_size_bytes)));
    text.push(format!("  {}\n", freshness(&vg.freshness)));
    if vg.completeness != Completeness::Complete {
        text.push(format!("  {}\n", styled(&format!("{} of its PVs are missing", vg.missing_pvs), BAD)));
    }
    if vg.is_out_of_date {
        text.push(format!("  {}\n", styled("it has changed on its disks since", ODD)));
    }
    if !vg.tags.is_empty() {
        text.push(format!("  tags {}\n", plain(&vg.tags.join(", "))));
    }
    for (what, value) in [("lock manager", &vg.lock_type), ("of host", &vg.system_id)] {
        if let Some(value) = value {
            text.push(format!("  {what} {}\n", plain(value)));
        }
    }
    text.concat()
}

/// Gives each LV that lies on a PV a letter, in the order of the PVs.
fn letters(pvs: &[Pv]) -> BTreeMap<String, char> {
    let mut letters = BTreeMap::new();
    let last = LETTERS.chars().next_back().unwrap_or(FREE);
    for lv in
        pvs.iter().flat_map(|pv| pv.pieces.iter().flatten()).filter_map(|piece| piece.of_lvname.as_ref())
    {
        let next = LETTERS.chars().nth(letters.len()).unwrap_or(last);
        letters.entry(lv.clone()).or_insert(next);
    }
    letters
}

fn of_pv(pv: &Pv, letters: &BTreeMap<String, char>) -> String {
    let sizes = pv.size_bytes.zip(pv.free_bytes);
    let sizes = sizes.map_or_else(String::new, |(all, free)| format!("  {}, {} free", size(all), size(free)));
    let missing = if pv.is_missing { styled("  missing", BAD) } else { String::new() };
    let name = if pv.is_missing { format!("{} {}", device(pv), plain(&pv.uuid)) } else { device(pv) };
    let bar = bar(pv.pieces.as_deref().unwrap_or_default(), letters);
    format!("  {name}{sizes}{missing}\n  [{bar}]\n")
}

fn bar(pieces: &[Piece], letters: &BTreeMap<String, char>) -> String {
    let all: u64 = pieces.iter().map(|piece| piece.extents).sum();
    let cells = CELLS.min(all);
    let edge = |cell: u64| {
        u64::try_from(u128::from(all) * u128::from(cell) / u128::from(cells.max(1))).unwrap_or(all)
    };
    (0..cells).map(|cell| in_cell(pieces, edge(cell), edge(cell + 1), letters)).collect()
}

/// Returns what most of the extents from `begin` to `end` are used for.
fn in_cell(pieces: &[Piece], begin: u64, end: u64, letters: &BTreeMap<String, char>) -> char {
    let mut shares: BTreeMap<Option<&str>, u64> = BTreeMap::new();
    for piece in pieces {
        let share = end.min(piece.start_extent + piece.extents).saturating_sub(begin.max(piece.start_extent));
        if share > 0 {
            *shares.entry(piece.of_lvname.as_deref()).or_default() += share;
        }
    }
    // Of two with the same share the used one is shown.
    let most = shares.into_iter().max_by_key(|(lv, share)| (*share, lv.is_some()));
    most.and_then(|(lv, _)| letters.get(lv?).copied()).unwrap_or(FREE)
}

/// Words which letter means what, in lines of at most 60 columns.
fn legend(letters: &BTreeMap<String, char>) -> String {
    let mut in_order: Vec<_> = letters.iter().map(|(lv, letter)| (*letter, plain(lv))).collect();
    in_order.sort_by_key(|(letter, _)| LETTERS.find(*letter));
    let shared = LETTERS.chars().next_back();
    let count = in_order.len();
    in_order.retain({
        let mut is_first = true;
        move |(letter, _)| Some(*letter) != shared || std::mem::take(&mut is_first)
    });
    let mut words: Vec<String> = in_order
        .into_iter()
        .map(|(letter, lv)| {
            if Some(letter) == shared && count > LETTERS.chars().count() {
                format!("{letter} all others")
            } else {
                format!("{letter} {lv}")
            }
        })
        .collect();
    words.push(format!("{FREE} free"));
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() <= 52 => {
                *line += &("  ".to_owned() + &word);
            }
            Some(_) | None => lines.push(word),
        }
    }
    lines.iter().map(|line| format!("    {}\n", styled(line, DIM))).collect::<Vec<_>>().concat()
}

fn lvs(lvs: &[Lv]) -> String {
    lvs.iter().map(of_lv).collect::<Vec<_>>().concat()
}

fn of_lv(lv: &Lv) -> String {
    let kernel = lv.kernel.as_ref();
    let percent = |name: &str, share: Option<f64>| {
        let words = share.map(|share| format!("{name} {share:.2} %")).unwrap_or_default();
        Cell::new(words).style(fullness(share))
    };
    let mut table = Table::default();
    table.row([
        Cell::new(name(lv)).style(if lv.is_visible { BOLD } else { DIM }),
        Cell::from(&lv.attr).style(if lv.is_partial { BAD } else { USUAL }),
        Cell::from(size(lv.size_bytes)),
        percent("data", kernel.and_then(|kernel| kernel.data_percent)),
        percent("meta", kernel.and_then(|kernel| kernel.metadata_percent)),
        percent("sync", kernel.and_then(|kernel| kernel.sync_percent)).style(USUAL),
        Cell::new(trouble(lv)).style(BAD),
    ]);
    let segments = lv.segments.iter().flatten().map(segment_words);
    [table.lines("  "), relatives(lv)].into_iter().chain(segments).collect::<Vec<_>>().concat()
}

fn relatives(lv: &Lv) -> String {
    let mut words = Vec::new();
    words.extend(lv.part_of.as_deref().map(|of| format!("part of {}", plain(of))));
    words.extend(lv.origin.as_deref().map(|origin| format!("origin {}", plain(origin))));
    words.extend(lv.pool.as_deref().map(|pool| format!("in pool {}", plain(pool))));
    words.extend((!lv.tags.is_empty()).then(|| format!("tags {}", plain(&lv.tags.join(", ")))));
    if words.is_empty() { String::new() } else { format!("      {}\n", styled(&words.join(", "), DIM)) }
}

fn segment_words(segment: &Segment) -> String {
    let (length, begin) = (size(segment.size_bytes), size(segment.start_bytes));
    let mut text = format!("      {length} at {begin}: {}", plain(&segment.kind));
    for (what, bytes) in [
        ("stripes of", segment.stripe_size_bytes),
        ("regions of", segment.region_size_bytes),
        ("chunks of", segment.chunk_size_bytes),
    ] {
        if let Some(bytes) = bytes {
            write!(text, ", {what} {}", size(bytes)).expect("a text grows");
        }
    }
    text.push('\n');
    for area in &segment.areas {
        writeln!(text, "        {}", area_words(area)).expect("a text grows");
    }
    text
}

fn area_words(area: &Area) -> String {
    let place = match (&area.device, &area.lvname, &area.pv_uuid) {
        (Some(device), _, _) => plain(device),
        (None, Some(lv), _) => plain(lv),
        (None, None, Some(pv)) => styled(&format!("missing PV {}", plain(pv)), BAD),
        (None, None, None) => styled("nowhere", BAD),
    };
    if area.extents == 0 {
        return place;
    }
    format!("{place} {}-{}", area.start_extent, area.start_extent + area.extents - 1)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{coverage, lv, piece, pv, vg as sample};
    use super::*;
    use crate::cli::samples::bare;

    fn reply(pvs: Vec<Pv>, lvs: Vec<Lv>) -> ShowReply {
        ShowReply { coverage: coverage(), vg: sample("vg0"), pvs, lvs, next_page: None }
    }

    #[test]
    fn a_vg_is_drawn_with_what_lies_where_and_fits_60_columns() {
        let first = Pv {
            pieces: Some(vec![piece(0, 54, Some("home")), piece(54, 27, None), piece(81, 27, Some("root"))]),
            ..pv("/dev/vda")
        };
        let area = Area {
            pv_uuid: Some("x".to_owned()),
            device: Some("/dev/vda".to_owned()),
            lvname: None,
            start_extent: 0,
            extents: 54,
        };
        let segment = Segment {
            start_bytes: 0,
            size_bytes: 54 << 20,
            kind: "linear".to_owned(),
            areas: vec![area],
            stripe_size_bytes: None,
            region_size_bytes: None,
            chunk_size_bytes: None,
        };
        let home = Lv { segments: Some(vec![segment]), ..lv("home") };
        let text = bare(&vg(&reply(vec![first], vec![home])));
        let bar = format!("{}{}{}", "a".repeat(27), "·".repeat(13), "b".repeat(14));
        let expected = format!(
            "vg0  wz--n-  510.00m in 2 PVs, 402.00m free\n  \
             seqno 12, extents of 1.00m\n  \
             read by the daemon 2 min 0 s ago, verified 3 s ago\n  \
             tags prod\n\n\
             PVs\n  \
             /dev/vda  255.00m, 195.00m free\n  \
             [{bar}]\n    \
             a home  b root  · free\n\n\
             LVs\n  \
             home  -wi-------  60.00m\n      \
             54.00m at 0: linear\n        \
             /dev/vda 0-53\n"
        );
        assert_eq!(text, expected);
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }

    #[test]
    fn what_is_missing_is_said_and_names_cannot_act_on_the_terminal() {
        let missing = Pv {
            device: None,
            is_missing: true,
            pieces: Some(vec![piece(0, 2, Some("a\u{1b}[2J"))]),
            ..pv("")
        };
        let text = vg(&reply(vec![missing], vec![Lv { is_partial: true, ..lv("a\u{1b}[2J") }]));
        assert!(bare(&text).contains("[unknown] ol9Qmi-Z419-1oit-nJ7c-v7lr-C6ec-5Vcwnt"), "{text}");
        assert!(!text.contains("\u{1b}[2J") && text.contains("[aa]"), "{text}");
    }

    #[test]
    fn a_bar_is_never_longer_than_its_pv_and_a_pv_without_extents_has_none() {
        let letters = BTreeMap::from([("x".to_owned(), 'a')]);
        assert_eq!(bar(&[], &letters), "");
        assert_eq!(bar(&[piece(0, 1, Some("x")), piece(1, 2, None)], &letters), "a··");
        assert_eq!(bar(&[piece(0, u64::MAX / 2, Some("x"))], &letters), "a".repeat(54));
    }

    #[test]
    fn a_hundred_lvs_have_letters_and_the_rest_share_one() {
        let pieces = (0..100).map(|number| piece(number, 1, Some(&format!("lv{number:02}")))).collect();
        let pv = Pv { pieces: Some(pieces), ..pv("/dev/vda") };
        let letters = letters(std::slice::from_ref(&pv));
        assert_eq!(
            (letters["lv00"], letters["lv61"], letters["lv62"], letters["lv99"]),
            ('a', '9', '#', '#')
        );
        let legend = bare(&legend(&letters));
        assert!(
            legend.contains("# all others") && legend.lines().all(|line| line.chars().count() <= 60),
            "{legend}"
        );
    }
}
