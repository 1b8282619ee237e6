//! Which daemon this is, and what its interfaces look like.

use lvmwarden_protocol::api::service::{Info, InfoReply};
use lvmwarden_protocol::api::varlink_service::{
    Error, GetInfo, GetInfoReply, GetInterfaceDescription, GetInterfaceDescriptionReply,
};
use lvmwarden_protocol::api::{INTERFACES, Reply};

use super::ApiService;

const PRODUCT: &str = "lvmwarden";
/// Where to read about it: the manual, for it is on the host.
const URL: &str = "man:lvmwardend(8)";

impl ApiService {
    pub(super) fn get_info(&self) -> Reply {
        Reply::last::<GetInfo>(&GetInfoReply {
            vendor: PRODUCT.to_owned(),
            product: PRODUCT.to_owned(),
            version: self.environment.info.version.clone(),
            url: URL.to_owned(),
            interfaces: INTERFACES.map(|(name, _)| name.to_owned()).to_vec(),
        })
    }

    pub(super) async fn info(&self) -> Reply {
        let info = &self.environment.info;
        let lock_problem = match &self.environment.lock {
            Some(lock) => lock.kill_program.problem().await,
            None => None,
        };
        Reply::last::<Info>(&InfoReply {
            product: PRODUCT.to_owned(),
            version: info.version.clone(),
            url: URL.to_owned(),
            pid: std::process::id(),
            started_at: info.started_at.to_string(),
            instance: info.instance.clone(),
            roles: info.roles.clone(),
            history_problem: self.environment.history_problem(),
            lock_problem,
        })
    }
}

pub(super) fn describe(asked: &GetInterfaceDescription) -> Result<GetInterfaceDescriptionReply, Error> {
    let found = INTERFACES.into_iter().find(|(name, _)| *name == asked.interface);
    let (_, description) =
        found.ok_or_else(|| Error::InterfaceNotFound { interface: asked.interface.clone() })?;
    Ok(GetInterfaceDescriptionReply { description: description.to_owned() })
}
