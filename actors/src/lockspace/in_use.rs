//! Who may be using a lock of an earlier life that somebody wants to be given back.

use super::askers::may_live;
use super::directory::Directory;
use super::event::Spec;
use super::lock_manager::Resource;
use super::recovery::is_active;

/// Returns in words who uses one of these locks, or may; `None` when nobody is known to.
///
/// Whoever is not remembered cannot be looked for.
pub async fn who_uses(directory: &Directory, spec: &Spec, resources: &[Resource]) -> Option<String> {
    let environment = directory.environment();
    let active = environment.devices.active_lvs().await;
    let book = environment.book.open();
    let remembered = book.get(&spec.name).map(|booked| &booked.locks);
    resources.iter().find_map(|resource| {
        if let Resource::Lv(lv) = resource {
            match &active {
                Some(active) if is_active(active, spec.vg_uuid, resource) => {
                    return Some(format!("LV {lv} is active on this host"));
                }
                Some(_) => {}
                None => return Some(format!("it cannot be told now whether LV {lv} is active on this host")),
            }
        }
        let asker = remembered?.everybody_of(resource).find(|holder| may_live(holder))?;
        Some(format!("process {} ({}), which has asked for the lock, lives", asker.pid, asker.name))
    })
}
