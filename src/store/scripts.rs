//! The Lua scripts: each is its libraries and its body, joined at compile time. [`ALL`] lists them with the names of their
//! arguments; a test holds that list, the headers of the files and their first lines together.

use std::sync::LazyLock;

/// One operation.
pub(super) struct Script {
    /// The file's name without its ending; also its name in logs and metrics.
    pub name: &'static str,
    /// The names of ARGV, in order. A last one that ends in `...` stands for any number.
    pub args: &'static [&'static str],
    source: &'static str,
    hash: LazyLock<String>,
}

impl Script {
    /// The SHA-1 by which EVALSHA knows it.
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    /// The whole text, for EVAL.
    pub(super) fn source(&self) -> &str {
        self.source
    }
}

/// A script's text and the names of its arguments: for the benchmark, which runs the scripts without a replica.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct ScriptText {
    /// The names of ARGV, in order.
    pub args: &'static [&'static str],
    /// The whole text.
    pub source: &'static str,
}

/// The script of this name, as files in `lua/` have them.
#[doc(hidden)]
#[must_use]
pub fn script_text(name: &str) -> Option<ScriptText> {
    ALL.iter().find(|script| script.name == name).map(|script| ScriptText { args: script.args, source: script.source })
}

fn hash_of(script: &Script) -> String {
    redis::Script::new(script.source).get_hash().to_owned()
}

macro_rules! library {
    ($($file:literal)*) => { concat!($(include_str!(concat!("../../lua/lib/", $file, ".lua")), "\n"),*) };
}

// Each function that a script makes costs every call of it, 0.1 µs or more: a tenth to a third of the short ones in all. So what few
// calls need is made inside `taking_back` when one does. In each list a function stands after those that it calls.

/// Where a script is, and when.
macro_rules! opening {
    () => {
        library!("read" "open")
    };
}

/// Records, and what they amount to.
macro_rules! records {
    () => {
        library!("due" "event" "facts" "free_from" "held" "derive" "terms" "session" "doubtful" "overdue" "limits" "describe")
    };
}

/// The ends of sessions, and what becomes of their containers.
macro_rules! endings {
    () => {
        library!("unclean" "stale" "move" "grant" "leave" "close" "serve_ticket" "offer" "drained" "want_reset" "settle"
            "give_back" "finish" "session_now" "next_free")
    };
}

/// `taking_back`: makes and returns `finish` and `take_back`, with these libraries before what only they need.
macro_rules! taking_back {
    ($($library:expr),*) => {
        concat!(
            "local function taking_back()\n",
            $($library,)*
            library!("serve" "recovered" "end_drain" "warn" "next_due" "take_back"),
            "return finish, take_back\nend\n",
            library!("reclaim")
        )
    };
}

/// What a script begins with that ends sessions, or moves containers, most times.
macro_rules! whole {
    () => {
        concat!(opening!(), records!(), endings!(), library!("container_now"), taking_back!())
    };
}

/// What a script begins with that does that seldom.
macro_rules! light {
    () => {
        concat!(opening!(), records!(), taking_back!(endings!()), library!("finish_rarely" "session_now"))
    };
}

/// What a script begins with that reads no record.
macro_rules! bare {
    () => {
        concat!(opening!(), taking_back!(records!(), endings!()))
    };
}

macro_rules! of_a_type {
    ($name:ident, $file:literal, [$($arg:literal),*]) => { of_a_type!(whole, $name, $file, [$($arg),*], ""); };
    // With libraries of its own.
    ($name:ident, $file:literal, [$($arg:literal),*], $own:expr) => { of_a_type!(whole, $name, $file, [$($arg),*], $own); };
    ($begins:ident, $name:ident, $file:literal, [$($arg:literal),*], $own:expr) => {
        pub(super) static $name: Script = Script {
            name: $file,
            args: &["check", "events_kept", "ended_kept_ms", "confirm_ms", $($arg),*],
            source: concat!($begins!(), $own, include_str!(concat!("../../lua/", $file, ".lua"))),
            hash: LazyLock::new(|| hash_of(&$name)),
        };
    };
}

/// How many arguments `allocate` has for each session; the first two are the session and its owner.
pub(super) const ALLOCATE_ITEM: usize = 20;

macro_rules! of_its_own {
    ($name:ident, $file:literal, [$($arg:literal),*]) => {
        pub(super) static $name: Script = Script {
            name: $file,
            args: &[$($arg),*],
            source: include_str!(concat!("../../lua/", $file, ".lua")),
            hash: LazyLock::new(|| hash_of(&$name)),
        };
    };
}

of_a_type!(ALLOCATE, "allocate", ["..."], library!("listen"));
of_a_type!(
    light,
    POLL,
    "poll",
    ["session", "owner", "ticket_ms", "give_up", "renews", "replica"],
    library!("leave" "close" "claim" "used" "renew" "listen")
);
of_a_type!(light, HEARTBEAT, "heartbeat", ["..."], library!("claim" "used" "renew"));
of_a_type!(light, REPORT_ACTIVITY, "report_activity", ["session", "token"], library!("used"));
of_a_type!(RELEASE, "release", ["..."]);
of_a_type!(WITHDRAW, "withdraw", ["..."]);
of_a_type!(RECLAIM, "reclaim", [], library!("cleanse"));
of_a_type!(bare, STATUS, "status", [], "");
of_a_type!(light, CONTAINERS, "containers", ["available_only", "after", "most"], library!("container_now"));
of_a_type!(light, CONTAINER, "container", ["container"], library!("container_now"));
of_a_type!(light, SESSIONS, "sessions", ["owner", "ended", "score", "after", "most"], "");
of_a_type!(ANNOUNCE, "announce", ["provider", "generation", "sequence"], library!("mark"));
of_a_type!(REGISTERED, "registered", ["provider", "after", "most"]);
of_a_type!(
    OBSERVE,
    "observe",
    ["provider", "generation", "sequence", "..."],
    library!("full" "strike" "rest_on" "mark" "meet_claim" "absolve")
);
of_a_type!(REMOVE, "remove", ["provider", "generation", "sequence", "..."], library!("full" "strike" "mark" "forget"));
of_a_type!(CLAIM_PROBES, "claim_probes", ["most", "interval_ms"]);
of_a_type!(REPORT_PROBES, "report_probes", ["rise", "fall", "..."], library!("full" "strike"));
of_a_type!(
    CLAIM_RESETS,
    "claim_resets",
    ["most", "deadline_ms", "attempts", "rest_ms", "longest_ms"],
    library!("definition" "full" "strike" "reset_failed" "gone_failed")
);
of_a_type!(OUTDATE, "outdate", ["container", "share"]);
of_a_type!(
    REPORT_RESET,
    "report_reset",
    ["container", "attempt", "failure", "how", "pause_ms", "attempts", "rest_ms", "longest_ms"],
    library!("operated" "mark_cordon" "forget" "definition" "pass_cordon" "absolve" "replaced" "cleaned" "full" "strike" "reset_failed" "gone_failed")
);
of_a_type!(KEEP_DEFINITION, "keep_definition", ["container", "attempt", "text"], library!("definition"));
of_a_type!(
    REPLACE,
    "replace",
    ["container", "attempt", "new"],
    library!("operated" "mark_cordon" "definition" "pass_cordon")
);
of_a_type!(PLAN_SCALE, "plan_scale", ["replica", "hold_ms"]);
of_a_type!(
    NOTE_SCALE,
    "note_scale",
    ["replica", "memory", "reason", "wanted", "change", "told", "detail", "template", "epoch"]
);
of_a_type!(TAKE_AWAY, "take_away", ["replica", "most", "least", "min_idle", "..."]);
of_a_type!(KEEPS, "keeps", ["after", "most"]);
of_a_type!(
    light,
    MAKE_PASS,
    "make_pass",
    ["session", "owner", "token", "pass", "view_only", "life_ms", "most", "keep_ms"],
    ""
);
of_a_type!(light, USE_PASS, "use_pass", ["session", "pass", "viewer", "keep_ms"], "");
of_a_type!(SETTLE, "settle", ["container"]);
of_a_type!(CORDON, "cordon", ["container", "by"], library!("operated" "mark_cordon"));
of_a_type!(UNCORDON, "uncordon", ["container", "by"], library!("operated"));
of_a_type!(QUARANTINE, "quarantine", ["container", "by", "rest_ms"]);
of_a_type!(LIFT_QUARANTINE, "lift_quarantine", ["container", "by"]);
of_a_type!(DRAIN, "drain", ["container", "by", "deadline_ms", "force"], library!("operated" "mark_cordon" "end_drain"));
of_a_type!(RESTART, "restart", ["container", "by", "force"]);
of_a_type!(END_SESSION, "end_session", ["session", "token", "by"]);
of_a_type!(EXPLAIN, "explain", ["few", "looks"]);
of_a_type!(SETTINGS, "settings", ["version"]);
of_a_type!(CHANGE_SETTINGS, "change_settings", ["version", "by", "..."], library!("operated"));
of_a_type!(RESTORE_SETTINGS, "restore_settings", ["version", "last", "..."], library!("operated"));
of_a_type!(
    BEGIN,
    "begin",
    ["verdict", "met_ms", "wait_ms", "lag_ms", "grace_ms", "lossless", "epoch_seen", "token_seen", "gather_ms"]
);
of_a_type!(ADOPT, "adopt", ["brief", "token_seen", "..."], library!("claim" "used" "renew"));
of_a_type!(END_RECOVERY, "end_recovery", []);
of_a_type!(
    AUDIT,
    "audit",
    ["area", "cursor", "most", "repairs", "grace_ms"],
    library!("forget" "next_due" "audit" "audit_session" "audit_container")
);
of_a_type!(CLAIM_AUDIT, "claim_audit", ["replica", "hold_ms", "pause_ms"]);
of_a_type!(FINISH_AUDIT, "finish_audit", ["replica", "..."]);
of_a_type!(AUDITED, "audited", []);
of_a_type!(CLAIM_HISTORY, "claim_history", ["replica", "hold_ms"]);
of_a_type!(
    RECORD_HISTORY,
    "record_history",
    ["replica", "epoch", "sequence", "to_epoch", "to_sequence", "kept", "hours", "unfinished", "..."]
);
of_a_type!(HISTORY_OPEN, "history_open", ["cursor", "most", "living"]);
of_a_type!(HISTORY, "history", ["below", "most"]);
of_its_own!(SCALE_STATE, "scale_state", []);
of_its_own!(MEET_TYPE, "meet_type", ["target_type", "wait_ms"]);
of_its_own!(INIT, "init", ["force"]);
of_its_own!(LOCK_PROVIDER, "lock_provider", ["replica", "ttl_ms", "above"]);
of_its_own!(UNLOCK_PROVIDER, "unlock_provider", ["replica"]);
of_its_own!(RECORD_LOOK, "record_look", ["generation", "asked", "error"]);
of_its_own!(PROVIDER_STATUS, "provider_status", []);
of_its_own!(CLAIM_ID, "claim_id", ["value", "replaces", "keep_ms"]);
of_its_own!(READ_EVENTS, "read_events", ["epoch", "sequence", "most"]);
of_its_own!(CLAIM_WEBHOOK, "claim_webhook", ["webhook", "replica", "ttl_ms"]);
of_its_own!(
    RECORD_DELIVERY,
    "record_delivery",
    ["webhook", "replica", "epoch", "sequence", "attempts", "pause_ms", "error", "again", "dead", "dead_kept"]
);
of_its_own!(WEBHOOK_STATE, "webhook_state", ["webhook", "most"]);
of_its_own!(REPLAY_WEBHOOK, "replay_webhook", ["webhook", "most"]);

/// Every script.
pub(super) static ALL: [&Script; 64] = [
    &ALLOCATE,
    &POLL,
    &HEARTBEAT,
    &REPORT_ACTIVITY,
    &RELEASE,
    &WITHDRAW,
    &RECLAIM,
    &STATUS,
    &CONTAINERS,
    &CONTAINER,
    &SESSIONS,
    &ANNOUNCE,
    &REGISTERED,
    &OBSERVE,
    &REMOVE,
    &CLAIM_PROBES,
    &REPORT_PROBES,
    &CLAIM_RESETS,
    &REPORT_RESET,
    &OUTDATE,
    &KEEP_DEFINITION,
    &REPLACE,
    &PLAN_SCALE,
    &NOTE_SCALE,
    &TAKE_AWAY,
    &SCALE_STATE,
    &KEEPS,
    &MAKE_PASS,
    &USE_PASS,
    &SETTLE,
    &CORDON,
    &UNCORDON,
    &QUARANTINE,
    &LIFT_QUARANTINE,
    &DRAIN,
    &RESTART,
    &END_SESSION,
    &EXPLAIN,
    &SETTINGS,
    &CHANGE_SETTINGS,
    &RESTORE_SETTINGS,
    &LOCK_PROVIDER,
    &UNLOCK_PROVIDER,
    &RECORD_LOOK,
    &PROVIDER_STATUS,
    &CLAIM_ID,
    &BEGIN,
    &ADOPT,
    &END_RECOVERY,
    &AUDIT,
    &CLAIM_AUDIT,
    &FINISH_AUDIT,
    &AUDITED,
    &CLAIM_HISTORY,
    &RECORD_HISTORY,
    &HISTORY_OPEN,
    &HISTORY,
    &MEET_TYPE,
    &INIT,
    &READ_EVENTS,
    &CLAIM_WEBHOOK,
    &RECORD_DELIVERY,
    &WEBHOOK_STATE,
    &REPLAY_WEBHOOK,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn file(name: &str) -> String {
        let path = format!("{}/lua/{name}.lua", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// `-- ARGV[5] session  …` as (5, "session"); `-- ARGV[7...]` as (7, "...").
    fn header(text: &str) -> Vec<(usize, String)> {
        text.lines()
            .filter_map(|line| line.strip_prefix("-- ARGV["))
            .map(|rest| {
                let (index, words) = rest.split_once(']').expect("ARGV[n]");
                if let Some(first) = index.strip_suffix("...") {
                    (first.parse().expect("a number"), "...".to_owned())
                } else {
                    let name = words.split_whitespace().next().expect("a name").to_owned();
                    (index.parse().expect("a number"), name)
                }
            })
            .collect()
    }

    /// `local session = ARGV[5]` or `local most = tonumber(ARGV[7])` as (5, "session").
    fn locals(text: &str) -> Vec<(usize, String)> {
        text.lines()
            .filter_map(|line| line.strip_prefix("local ")?.split_once(" = "))
            .filter_map(|(name, value)| {
                let value = value.strip_prefix("tonumber(").and_then(|v| v.strip_suffix(')')).unwrap_or(value);
                let index = value.strip_prefix("ARGV[")?.strip_suffix(']')?;
                Some((index.parse().expect("a number"), name.to_owned()))
            })
            .collect()
    }

    #[test]
    fn header_call_and_script_name_the_same_arguments() {
        for script in ALL {
            let text = file(script.name);
            let declared: Vec<_> =
                script.args.iter().enumerate().map(|(at, name)| (at + 1, (*name).to_owned())).collect();
            assert_eq!(header(&text), declared, "header of lua/{}.lua", script.name);
            let own = if script.args.first() == Some(&"check") { 4 } else { 0 };
            let named: Vec<_> = declared.into_iter().skip(own).filter(|(_, name)| name != "...").collect();
            assert_eq!(locals(&text), named, "locals of lua/{}.lua", script.name);
        }
    }

    /// The outcome codes that the header lists.
    fn listed(text: &str) -> BTreeSet<&str> {
        text.lines()
            .skip_while(|line| !line.starts_with("-- Outcomes"))
            .skip(1)
            .map_while(|line| line.strip_prefix("--   "))
            .filter(|line| !line.starts_with(' '))
            .filter_map(|line| line.split_whitespace().next())
            .collect()
    }

    /// The codes that the body answers: the first text of each reply.
    fn answered(text: &str) -> BTreeSet<&str> {
        text.split("{ '").skip(1).filter_map(|rest| rest.split_once('\'')).map(|(code, _)| code).collect()
    }

    #[test]
    fn header_and_body_name_the_same_outcomes() {
        for script in ALL {
            let text = file(script.name);
            let replies: String =
                text.lines().filter(|line| line.contains("return {") || line.contains("reply = {")).collect();
            assert_eq!(listed(&text), answered(&replies), "outcomes of lua/{}.lua", script.name);
        }
    }

    #[test]
    fn every_file_is_a_script_and_says_what_it_is_for() {
        let folder = format!("{}/lua", env!("CARGO_MANIFEST_DIR"));
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| {
                entry.unwrap().file_name().into_string().unwrap().strip_suffix(".lua").map(str::to_owned)
            })
            .collect();
        files.sort();
        let mut names: Vec<_> = ALL.iter().map(|script| script.name.to_owned()).collect();
        names.sort();
        assert_eq!(files, names);
        for name in names {
            let text = file(&name);
            assert!(text.starts_with("-- ") && text.contains("-- KEYS[1] ") && text.contains("-- Outcomes"), "{name}");
        }
    }
}
