//! Finding processes that nobody wrote down.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;

use lvmwarden_supervisor::process::{
    AdoptError, FoundProcess, Process, ProcessIdentity, Processes, ScanFilter, Signal, Stdout,
};
use uuid::Uuid;

use crate::support::{Site, becomes_zombie, processes, run};

/// Accepts the command lines whose last word is `word`.
fn ending_in(word: &str) -> ScanFilter {
    let word = OsString::from(word);
    Arc::new(move |words| words.last() == Some(&word))
}

async fn scan(wanted: ScanFilter) -> Vec<FoundProcess> {
    processes().scan(wanted).await.unwrap()
}

async fn end(process: Box<dyn Process>) {
    process.signal(Signal::KILL).unwrap();
    process.wait().await;
}

#[test]
fn a_process_is_found_with_all_that_tells_what_it_does() {
    run(async {
        let site = Site::new();
        let marker = Uuid::now_v7().to_string();
        let mut command = site.command("/bin/sh", &["-c", "kill -STOP $$", &marker]);
        command.environment = vec![("A".into(), "b=c".into()), ("MARKER".into(), marker.clone().into())];
        let process = processes().spawn(command.clone()).await.unwrap();

        let command_line = [OsString::from("/bin/sh")].into_iter().chain(command.arguments).collect();
        let stdout = Stdout::RootsOwn(command.stdout);
        let mut expected = FoundProcess::of_a_test(process.identity().clone(), command_line, stdout);
        expected.parent = std::process::id();
        expected.environment = command.environment;
        expected.program = Some(fs::canonicalize("/bin/sh").unwrap());
        assert_eq!(scan(ending_in(&marker)).await, [expected]);
        end(process).await;
    });
}

/// A process that the test started itself, to be ended with it.
struct Other(Child);

impl Other {
    /// Starts a program that waits, with a marker as its last word, as the user `uid`.
    #[expect(clippy::disallowed_methods, reason = "it is what another user started")]
    fn start(program: &Path, marker: &str, uid: u32, stdout: Stdio) -> Self {
        let mut command = std::process::Command::new(program);
        command.args(["-c", "kill -STOP $$; :", marker]).stdin(Stdio::null()).stdout(stdout);
        Self(command.uid(uid).gid(uid).spawn().unwrap())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_process_of_an_ordinary_user_is_neither_found_nor_adopted_whatever_it_says() {
    run(async {
        let marker = Uuid::now_v7().to_string();
        let users = Other::start(Path::new("/bin/sh"), &marker, 65534, Stdio::null());
        let roots = Other::start(Path::new("/bin/sh"), &marker, 0, Stdio::null());
        let pids: Vec<_> = scan(ending_in(&marker)).await.iter().map(|found| found.identity.pid).collect();
        assert_eq!(pids, [roots.0.id()]);
        let identity = ProcessIdentity::of(users.0.id()).unwrap();
        let error = processes().adopt(identity).await.err().unwrap();
        assert!(matches!(error, AdoptError::Gone { .. }), "{error:?}");
    });
}

/// Such as sudo, which has root's ids while it asks an ordinary user for the password.
#[test]
fn a_program_that_anybody_can_start_as_root_is_not_found() {
    run(async {
        let (site, marker) = (Site::new(), Uuid::now_v7().to_string());
        let program = site.path("sh");
        fs::copy("/bin/sh", &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
        let other = Other::start(&program, &marker, 0, Stdio::null());
        assert_eq!(scan(ending_in(&marker)).await, []);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find(&marker).await.identity.pid, other.0.id(), "as before, but for the mode");
    });
}

#[test]
fn an_output_file_is_a_proof_only_where_none_but_root_can_have_made_it() {
    run(async {
        let site = Site::new();
        fs::create_dir(site.path("folder")).unwrap();
        let path = site.path("folder/out");
        for (file_mode, folder_mode, owner, is_proof) in [
            (0o600, 0o700, 0, true),
            (0o600, 0o755, 0, true),
            (0o640, 0o700, 0, false),
            (0o600, 0o770, 0, false),
            (0o600, 0o1777, 0, false),
            (0o600, 0o700, 65534, false),
        ] {
            let file = fs::File::create(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(file_mode)).unwrap();
            fs::set_permissions(site.path("folder"), fs::Permissions::from_mode(folder_mode)).unwrap();
            chown(&path, Some(owner), None).unwrap();
            let marker = Uuid::now_v7().to_string();
            let _other = Other::start(Path::new("/bin/sh"), &marker, 0, file.into());
            let expected = if is_proof { Stdout::RootsOwn(path.clone()) } else { Stdout::Other };
            let case = format!("{file_mode:o} in {folder_mode:o} of {owner}");
            assert_eq!(find(&marker).await.stdout, expected, "{case}");
            fs::remove_file(&path).unwrap();
            assert_eq!(find(&marker).await.stdout, expected, "{case}, removed");
            fs::write(&path, "another file").unwrap();
            assert_eq!(find(&marker).await.stdout, expected, "{case}, replaced");
            fs::remove_file(&path).unwrap();
        }
    });
}

#[test]
fn an_ended_process_is_not_found() {
    run(async {
        let marker = Uuid::now_v7().to_string();
        let site = Site::new();
        let process = processes().spawn(site.command("/bin/sh", &["-c", "exit 0", &marker])).await.unwrap();
        becomes_zombie(process.identity()).await;
        assert_eq!(scan(ending_in(&marker)).await, []);
        process.wait().await;
    });
}

#[test]
fn neither_this_program_nor_the_kernel_is_ever_found() {
    run(async {
        let found = scan(Arc::new(|_| true)).await;
        assert!(!found.is_empty(), "at least the program that started this one");
        assert!(found.iter().all(|process| process.identity.pid != std::process::id()));
        assert!(found.iter().all(|process| !process.command_line.is_empty()));
        assert!(found.is_sorted_by_key(|process| process.identity.pid));
    });
}

#[test]
fn a_pipe_tells_whether_its_reader_is_gone() {
    run(async {
        // One process writes into a pipe that another one reads, each with a word of its own to be found by.
        let (writer, reader) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
        let site = Site::new();
        let parent =
            site.start(&format!("sh -c 'kill -STOP $$' {writer} | sh -c 'kill -STOP $$' {reader}")).await;
        let found = find(&writer).await;
        assert_eq!(found.stdout, Stdout::Pipe { has_reader: true });
        assert_eq!(found.parent, parent.identity().pid);

        end(processes().adopt(find(&reader).await.identity).await.unwrap()).await;
        let found = find(&writer).await;
        assert_eq!(found.stdout, Stdout::Pipe { has_reader: false });

        end(processes().adopt(found.identity).await.unwrap()).await;
        parent.wait().await;
    });
}

/// Returns the process whose last word is `word`, as soon as there is one.
async fn find(word: &str) -> FoundProcess {
    loop {
        if let [found] = &scan(ending_in(word)).await[..] {
            return found.clone();
        }
    }
}

#[test]
fn processes_that_come_and_go_do_not_disturb_a_scan() {
    run(async {
        let site = Site::new();
        let churn = site.start("while :; do /bin/true & /bin/true; done").await;
        for _ in 0..20 {
            scan(Arc::new(|_| true)).await;
        }
        end(churn).await;
    });
}
