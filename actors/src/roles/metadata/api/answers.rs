//! What clients of the JSON API are answered.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::api::metadata::{
    Error, Lv, Lvs, LvsReply, Problems, ProblemsReply, Pv, Pvs, PvsReply, Request, Rescan, Show, ShowReply,
    Vgs, VgsReply, Wait, Watch,
};
use lvmwarden_protocol::api::{CodecError, Done, Method, Reply};
use lvmwarden_protocol::ids::{VgName, VgUuid};
use slog::info;
use tokio::task::spawn_blocking;

use super::lvs::Wanted;
use super::shell::step_told;
use super::{Place, Teller, View, lvs, problems, pvs, vgs};
use crate::foundation::api::outgoing::{json_bytes, page};
use crate::foundation::api::replies::{Last, Replies};
use crate::foundation::api::{self, ApiContext, Patience, place, reply};
use crate::roles::metadata::settings::MetadataEnvironment;

/// How many changes a watcher is told at once.
const TOLD_AT_ONCE: usize = 16;

/// A page of things, and where the next begins.
type Page<T> = (Vec<T>, Option<String>);

/// `org.lvmwarden.Metadata`; nothing is served where the role is turned off.
pub struct MetadataApi {
    pub(in crate::roles::metadata) metadata: Option<Arc<MetadataEnvironment>>,
    pub(in crate::roles::metadata) context: Rc<ApiContext>,
}

impl api::Part for MetadataApi {
    type Request = Request;

    const WATCHING: &'static [&'static str] =
        &[Vgs::NAME, Pvs::NAME, Lvs::NAME, Show::NAME, Wait::NAME, Watch::NAME, Problems::NAME];

    fn patience(request: &Request) -> Patience {
        if matches!(request, Request::Wait(_) | Request::Watch(_)) {
            Patience::Endless
        } else {
            Patience::Brief
        }
    }

    async fn answer(
        &self,
        uid: u32,
        request: Request,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        let Some(metadata) = &self.metadata else {
            return Ok(Reply::error(&Error::NotServed).into());
        };
        let teller = Teller::new(Arc::clone(metadata));
        let short = match request {
            Request::Vgs(Vgs { vgname, max_age_ms, page }) => {
                let list = List { uid, vgname, max_age_ms, with_kernel: false };
                let make = |view: &View, vgname: Option<&VgName>, after: Option<&Place>| {
                    let (vgs, next_page) = cut(vgs::vgs(view, vgname, after));
                    VgsReply { coverage: view.coverage(), vgs, next_page }
                };
                return self.list_metadata::<Vgs>(teller, list, page, replies, make).await;
            }
            Request::Pvs(Pvs { vgname, max_age_ms, page }) => {
                let list = List { uid, vgname, max_age_ms, with_kernel: false };
                let make = |view: &View, vgname: Option<&VgName>, after: Option<&Place>| {
                    let (pvs, next_page) = cut(pvs::pvs(view, vgname, after));
                    PvsReply { coverage: view.coverage(), pvs, next_page }
                };
                return self.list_metadata::<Pvs>(teller, list, page, replies, make).await;
            }
            Request::Lvs(Lvs { vgname, all, max_age_ms, page }) => {
                let list = List { uid, vgname, max_age_ms, with_kernel: true };
                let wanted = Wanted { all: all == Some(true), with_segments: false };
                let make = move |view: &View, vgname: Option<&VgName>, after: Option<&Place>| {
                    let (lvs, next_page) = cut(lvs::lvs(view, vgname, wanted, after));
                    LvsReply { coverage: view.coverage(), lvs, next_page }
                };
                return self.list_metadata::<Lvs>(teller, list, page, replies, make).await;
            }
            Request::Show(asked) => return self.show_vg(uid, teller, asked, replies).await,
            Request::Problems(Problems { page }) => {
                let after = match place::<usize>(page.as_deref()) {
                    Ok(after) => after.unwrap_or_default(),
                    Err(refusal) => return Ok(refusal.into()),
                };
                let look = async { Ok(move || problems_told(&teller.view(), after)) };
                return self.context.large::<Problems, _>(uid, replies, Error::Busy, look).await;
            }
            Request::Wait(Wait { vgname, timeout_ms }) => {
                let waited = teller.wait(&vgname, timeout_ms.map(Duration::from_millis)).await;
                reply::<Wait, Error>(Ok(waited))
            }
            Request::Watch(Watch { vgname }) => return self.watch_vgs(&teller, vgname, replies).await,
            Request::Rescan(asked) => {
                info!(self.context.log, "a client has a device read again"; "device" => %asked.device, "uid" => uid);
                reply::<Rescan, _>(teller.rescan(asked).await.map(|()| Done {}))
            }
        };
        Ok(short.into())
    }
}

impl MetadataApi {
    /// Answers with a page of a list.
    async fn list_metadata<M: Method<Reply: Send>>(
        &self,
        teller: Teller,
        list: List,
        page: Option<String>,
        replies: &Replies<'_, '_>,
        make: impl FnOnce(&View, Option<&VgName>, Option<&Place>) -> M::Reply + Send + 'static,
    ) -> Result<Last<'_>, CodecError> {
        let after = match place::<Place>(page.as_deref()) {
            Ok(after) => after,
            Err(refusal) => return Ok(refusal.into()),
        };
        // Before a share of what is on its way is taken: others need that meanwhile.
        list.verify(&teller).await;
        let uid = list.uid;
        let look = async {
            let view = list.view(&teller).await;
            let vgname = list.vgname;
            Ok(move || make(&view, vgname.as_ref(), after.as_ref()))
        };
        self.context.large::<M, Error>(uid, replies, Error::Busy, look).await
    }

    async fn show_vg(
        &self,
        uid: u32,
        teller: Teller,
        asked: Show,
        replies: &Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        let after = match place::<Place>(asked.page.as_deref()) {
            Ok(after) => after,
            Err(refusal) => return Ok(refusal.into()),
        };
        let list =
            List { uid, vgname: Some(asked.vgname.clone()), max_age_ms: asked.max_age_ms, with_kernel: true };
        list.verify(&teller).await;
        let look = async {
            let view = list.view(&teller).await;
            let only = Teller::only(&view, &asked.vgname, asked.uuid.as_ref().map(VgUuid::as_str))?;
            Ok(move || shown(&view, &only, after.as_ref()))
        };
        self.context.large::<Show, Error>(uid, replies, Error::Busy, look).await
    }

    /// Tells of VGs as they are, and then of each change.
    async fn watch_vgs(
        &self,
        teller: &Teller,
        vgname: Option<VgName>,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        let mut watch = teller.watch(vgname);
        loop {
            let (view, steps) = watch.next().await;
            let view = Arc::new(view);
            // A thousand VGs at once are read elsewhere, and told a few at a time.
            let mut steps = steps.into_iter().peekable();
            while steps.peek().is_some() {
                let (view, few) = (Arc::clone(&view), steps.by_ref().take(TOLD_AT_ONCE).collect::<Vec<_>>());
                let telling = spawn_blocking(move || {
                    let told = few.into_iter().map(|step| step_told(&view, step));
                    told.map(|told| Reply::continued::<Watch>(&told)).collect::<Vec<_>>()
                });
                replies.send_all(telling.await.expect("to word what is known does not panic")).await?;
            }
        }
    }
}

/// What is asked of a list.
struct List {
    uid: u32,
    vgname: Option<VgName>,
    max_age_ms: Option<u64>,
    with_kernel: bool,
}

impl List {
    async fn verify(&self, teller: &Teller) {
        if let Some(max_age_ms) = self.max_age_ms {
            teller.verify(self.vgname.as_ref(), Duration::from_millis(max_age_ms)).await;
        }
    }

    async fn view(&self, teller: &Teller) -> View {
        if self.with_kernel { teller.view_with_kernel().await } else { teller.view() }
    }
}

/// Takes as many things as fit a page.
fn cut<T: serde::Serialize>(things: impl Iterator<Item = (Place, T)>) -> Page<T> {
    let (fitting, is_cut) = page(things, |(_, thing)| json_bytes(thing));
    let next = fitting.last().filter(|_| is_cut).map(|(place, _)| place.to_string());
    (fitting.into_iter().map(|(_, thing)| thing).collect(), next)
}

/// A PV or an LV of a VG that is shown.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Part {
    Pv(Box<Pv>),
    Lv(Box<Lv>),
}

/// PVs come first, and LVs after them, over as many pages as they need.
fn shown(view: &View, uuid: &str, after: Option<&Place>) -> ShowReply {
    let state = view.vgs(None, None).find(|vg| vg.text.uuid.as_str() == uuid);
    let vg = view.read(state.expect("it was found in this very view"));
    let wanted = Wanted { all: true, with_segments: true };
    let first = pvs::of_vg(view, &vg, after, true).into_iter();
    let first = first.map(|(place, pv)| (place, Part::Pv(Box::new(pv))));
    let then = lvs::of_vg(view, &vg, wanted, after).into_iter();
    let then = then.map(|(place, lv)| (place, Part::Lv(Box::new(lv))));
    let (parts, next_page) = cut(first.chain(then));
    let (mut pvs, mut lvs) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Part::Pv(pv) => pvs.push(*pv),
            Part::Lv(lv) => lvs.push(*lv),
        }
    }
    ShowReply { coverage: view.coverage(), vg: vgs::told(view, &vg), pvs, lvs, next_page }
}

fn problems_told(view: &View, after: usize) -> ProblemsReply {
    let all = problems::problems(view);
    let (problems, is_cut) = page(all.into_iter().skip(after), json_bytes);
    let next_page = is_cut.then(|| (after + problems.len()).to_string());
    ProblemsReply { coverage: view.coverage(), problems, next_page }
}
