//! Lists, with the column names of lvm's own reports.

use anstyle::Style;
use lvmwarden_protocol::api::metadata::{Completeness, Kernel, Lv, Pv, Vg};

use super::size::size;
use super::time;
use crate::cli::screen::{BAD, DIM, ODD, USUAL, plain};
use crate::cli::table::{Cell, Table};

/// How full something may be before it is worth a look, and before it is bad.
const FULL_PERCENT: (f64, f64) = (80.0, 95.0);

/// Words VGs.
pub(in crate::cli) fn vgs(vgs: &[Vg]) -> String {
    let mut table = Table::with_heading(["VG", "#PV", "#LV", "#SN", "Attr", "VSize", "VFree", "Age"]);
    for vg in vgs {
        let is_whole = vg.completeness == Completeness::Complete && !vg.is_out_of_date;
        table.row([
            Cell::from(&vg.vgname),
            Cell::number(vg.pvs.to_string()),
            Cell::number(vg.lvs.to_string()),
            Cell::number(vg.snapshots.to_string()),
            Cell::from(&vg.attr).style(if is_whole { USUAL } else { BAD }),
            Cell::number(size(vg.size_bytes)),
            Cell::number(size(vg.free_bytes)),
            Cell::number(time(vg.freshness.verified_ms_ago)).style(if vg.is_out_of_date { ODD } else { DIM }),
        ]);
    }
    table.lines("")
}

/// Words PVs.
pub(super) fn pvs(pvs: &[Pv]) -> String {
    let mut table = Table::with_heading(["PV", "VG", "Fmt", "Attr", "PSize", "PFree"]);
    for pv in pvs {
        let bytes = pv.size_bytes.or(pv.device_size_bytes);
        table.row([
            Cell::new(device(pv)).style(if pv.is_missing { BAD } else { USUAL }),
            Cell::from(pv.vgname.as_deref().unwrap_or_default()),
            "lvm2".into(),
            Cell::from(&pv.attr).style(if pv.is_missing { BAD } else { USUAL }),
            Cell::number(bytes.map(size).unwrap_or_default()),
            // As pvs does: a PV in no VG is free as a whole.
            Cell::number(pv.free_bytes.or(bytes).map(size).unwrap_or_default()),
        ]);
    }
    table.lines("")
}

/// Returns a PV's device, or what lvm calls one that is missing.
pub(super) fn device(pv: &Pv) -> String {
    let unknown = if pv.is_missing { "[unknown]" } else { "?" };
    pv.device.as_deref().map_or_else(|| unknown.to_owned(), plain)
}

/// Words LVs. Columns in which no LV has anything are left out.
pub(super) fn lvs(lvs: &[Lv]) -> String {
    let kernel = |what: fn(&Kernel) -> Option<f64>| move |lv: &Lv| lv.kernel.as_ref().and_then(what);
    let data = kernel(|kernel| kernel.data_percent);
    let metadata = kernel(|kernel| kernel.metadata_percent);
    let sync = kernel(|kernel| kernel.sync_percent);
    let heading = |name: &'static str, is_used: bool| if is_used { name } else { "" };
    let mut table = Table::with_heading([
        "LV",
        "VG",
        "Attr",
        "LSize",
        heading("Pool", lvs.iter().any(|lv| lv.pool.is_some())),
        heading("Origin", lvs.iter().any(|lv| lv.origin.is_some())),
        heading("Data%", lvs.iter().any(|lv| data(lv).is_some())),
        heading("Meta%", lvs.iter().any(|lv| metadata(lv).is_some())),
        heading("Cpy%Sync", lvs.iter().any(|lv| sync(lv).is_some())),
        "",
    ]);
    for lv in lvs {
        table.row([
            Cell::new(name(lv)).style(if lv.is_visible { USUAL } else { DIM }),
            Cell::from(&lv.vgname),
            Cell::from(&lv.attr).style(if lv.is_partial { BAD } else { USUAL }),
            Cell::number(size(lv.size_bytes)),
            Cell::from(lv.pool.as_deref().unwrap_or_default()),
            Cell::from(lv.origin.as_deref().unwrap_or_default()),
            filling(data(lv)),
            filling(metadata(lv)),
            Cell::number(percent(sync(lv))),
            Cell::new(trouble(lv)).style(BAD),
        ]);
    }
    table.lines("")
}

/// Returns an LV's name, in brackets where it is a part of another, as lvs does.
pub(super) fn name(lv: &Lv) -> String {
    if lv.is_visible { plain(&lv.lvname) } else { format!("[{}]", plain(&lv.lvname)) }
}

/// Words what the kernel says is wrong with an LV.
pub(super) fn trouble(lv: &Lv) -> String {
    let kernel = lv.kernel.as_ref();
    let trouble = kernel.and_then(|kernel| kernel.trouble.as_deref()).map(plain);
    let suspended = kernel.filter(|kernel| kernel.is_suspended).map(|_| "suspended".to_owned());
    [trouble, suspended].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn filling(share: Option<f64>) -> Cell {
    Cell::number(percent(share)).style(fullness(share))
}

/// Returns how it looks how full something is.
pub(super) fn fullness(share: Option<f64>) -> Style {
    let (odd, bad) = FULL_PERCENT;
    match share {
        Some(share) if share >= bad => BAD,
        Some(share) if share >= odd => ODD,
        Some(_) | None => USUAL,
    }
}

fn percent(share: Option<f64>) -> String {
    share.map(|share| format!("{share:.2}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{lv, pv, vg};
    use super::*;
    use crate::cli::samples::bare;

    #[test]
    fn vgs_look_as_those_of_vgs() {
        let partial =
            Vg { attr: "wz-pn-".to_owned(), completeness: Completeness::Partial, ..vg("vg_system") };
        assert_eq!(
            bare(&vgs(&[vg("vg0"), partial])),
            "VG         #PV  #LV  #SN  Attr      VSize    VFree  Age\n\
             vg0          2    3    0  wz--n-  510.00m  402.00m  3 s\n\
             vg_system    2    3    0  wz-pn-  510.00m  402.00m  3 s\n"
        );
    }

    #[test]
    fn pvs_look_as_those_of_pvs() {
        let missing = Pv { device: None, is_missing: true, attr: "a-m".to_owned(), ..pv("/dev/vda") };
        let orphan = Pv {
            vgname: None,
            size_bytes: None,
            free_bytes: None,
            attr: "---".to_owned(),
            is_orphan: Some(true),
            ..pv("/dev/vdc")
        };
        assert_eq!(
            bare(&pvs(&[pv("/dev/vda"), missing, orphan])),
            "PV         VG   Fmt   Attr    PSize    PFree\n\
             /dev/vda   vg0  lvm2  a--   255.00m  195.00m\n\
             [unknown]  vg0  lvm2  a-m   255.00m  195.00m\n\
             /dev/vdc        lvm2  ---   256.00m  256.00m\n"
        );
    }

    #[test]
    fn lvs_have_no_column_in_which_nothing_stands_and_fit_60_columns() {
        let kernel = Kernel {
            is_suspended: false,
            data_percent: Some(97.5),
            metadata_percent: Some(11.13),
            sync_percent: None,
            trouble: Some("out_of_data_space".to_owned()),
        };
        let pool = Lv { kernel: Some(kernel), ..lv("pool") };
        let part = Lv { is_visible: false, ..lv("pool_tdata") };
        let text = bare(&lvs(&[lv("home"), pool, part]));
        assert_eq!(
            text,
            "LV            VG   Attr         LSize  Data%  Meta%\n\
             home          vg0  -wi-------  60.00m\n\
             pool          vg0  -wi-------  60.00m  97.50  11.13  out_of_data_space\n\
             [pool_tdata]  vg0  -wi-------  60.00m\n"
        );
        assert!(bare(&lvs(&[lv("home")])).lines().all(|line| line.chars().count() <= 60));
    }
}
