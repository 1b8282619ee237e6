//! Every refusal that means something, as a table.

use super::*;
use crate::roles::lock::lockspace::testing::id;

const UUID: &str = "6hwPRQ-ubEX-Ovsh-fj3n-rkGY-SbuK-Gi6Lfw";

fn acquired(raw: i32, mode: LockMode, adopt: Adopt) -> (i32, bool) {
    let resource = Resource::Lv(id(UUID));
    let fault = acquire_fault(Refusal(raw), Wanted { resource: &resource, mode, adopt });
    assert_eq!(fault.raw, raw);
    (fault.code.0, fault.is_transient)
}

#[test]
fn what_acquiring_an_lv_lock_is_refused_with() {
    for (raw, shared, exclusive) in [
        (-11, (-11, true), (-11, false)),
        (-243, (-11, true), (-11, false)),
        (-244, (-11, true), (-11, false)),
        (-245, (-11, true), (-11, false)),
        (-246, (-11, true), (-11, false)),
        (-285, (-11, true), (-11, false)),
        (-247, (-11, false), (-11, false)),
        (-249, (-11, false), (-11, false)),
        (-212, (-11, false), (-11, false)),
        (-213, (-11, false), (-11, false)),
        (-202, (-225, false), (-225, false)),
        (-90, (-90, false), (-90, false)),
        (-117, (-222, false), (-222, false)),
        (-5, (-218, false), (-218, false)),
        (-16, (-218, false), (-218, false)),
        (-28, (-218, false), (-218, false)),
        (-220, (-218, false), (-218, false)),
        (-221, (-218, false), (-218, false)),
        (-210, (-218, false), (-218, false)),
        (-211, (-218, false), (-218, false)),
        (-223, (-226, false), (-226, false)),
        (-224, (-226, false), (-226, false)),
        (-222, (-226, false), (-226, false)),
        (-226, (-226, false), (-226, false)),
        (-227, (-226, false), (-226, false)),
        (-229, (-226, false), (-226, false)),
        (-214, (-226, false), (-226, false)),
        (-281, (-226, false), (-226, false)),
        (-17, (-221, false), (-221, false)),
        (-2, (-221, false), (-221, false)),
        (-111, (-221, false), (-221, false)),
        (-240, (-221, false), (-221, false)),
    ] {
        assert_eq!(acquired(raw, LockMode::Shared, Adopt::No), shared, "{raw}");
        assert_eq!(acquired(raw, LockMode::Exclusive, Adopt::No), exclusive, "{raw}");
    }
}

#[test]
fn what_adopting_is_refused_with() {
    for (raw, if_there, only) in [(-117, -224, -224), (-2, -221, -223), (-11, -11, -11)] {
        assert_eq!(acquired(raw, LockMode::Exclusive, Adopt::IfThere), (if_there, false), "{raw}");
        assert_eq!(acquired(raw, LockMode::Exclusive, Adopt::Only), (only, false), "{raw}");
    }
}

#[test]
fn only_the_lease_of_an_lv_can_be_beyond_the_end_of_the_disk() {
    let wanted = Wanted { resource: &Resource::Vg, mode: LockMode::Exclusive, adopt: Adopt::No };
    assert_eq!(acquire_fault(EMSGSIZE, wanted).code, ResultCode::LOCK_MANAGER);
}

#[test]
fn what_converting_is_refused_with() {
    for raw in [-11, -202, -212, -213, -243, -244, -245, -246, -247, -249, -285] {
        assert_eq!(convert_fault(Refusal(raw), &Resource::Vg, LockMode::Exclusive).code.0, -11, "{raw}");
    }
    for raw in [-1, -2, -5, -210, -223, -240] {
        assert_eq!(convert_fault(Refusal(raw), &Resource::Vg, LockMode::Exclusive).code.0, -221, "{raw}");
    }
}

#[test]
fn numbers_that_mean_something_else_to_clients_do_not_reach_them() {
    // As result codes: no such lockspace, starting, bad arguments, adopt none, removed, ...
    for raw in -290..=-200 {
        let refusal = Refusal(raw);
        let wanted = Wanted { resource: &Resource::Global, mode: LockMode::Shared, adopt: Adopt::No };
        let codes = [
            acquire_fault(refusal, wanted),
            convert_fault(refusal, &Resource::Vg, LockMode::Shared),
            join_fault(refusal, "lvm_vg"),
            leave_fault(refusal, "lvm_vg"),
            disk_fault(refusal, "write a lease"),
        ];
        for fault in codes {
            assert!([-11, -213, -218, -221, -225, -226].contains(&fault.code.0), "{raw}: {fault:?}");
        }
    }
}

#[test]
fn what_joining_and_leaving_are_refused_with() {
    let joined = |raw| join_fault(Refusal(raw), "lvm_vg").code.0;
    assert_eq!([-17, -11, -115, -231, -262, -202].map(joined), [-17, -11, -211, -213, -221, -225]);
    let left = |raw| leave_fault(Refusal(raw), "lvm_vg").code.0;
    assert_eq!([-16, -202, -111].map(left), [-16, -225, -214]);
}

#[test]
fn a_fault_says_what_failed_and_why() {
    let wanted = Wanted { resource: &Resource::Vg, mode: LockMode::Exclusive, adopt: Adopt::No };
    assert_eq!(acquire_fault(Refusal::ID_LIVE, wanted).text, "acquire ex VGLK: another host holds it");
    assert_eq!(disk_fault(Refusal(-240), "free LV lease").text, "free LV lease: sanlock error -240");
}
