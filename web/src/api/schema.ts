// Written by `npm run types` from tests/api/openapi.json.

export interface paths {
    "/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Compare the sets in Redis with the records, containers with sessions; and repair, if asked, what contradicts itself.
         *     One call goes on for about a second: give its `next` as `cursor` of the next one until that is null.
         */
        post: operations["audit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List containers, by type and id; available ones longest idle first. */
        get: operations["list_containers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Look at every provider now, and take back what is overdue. Waits up to 5 s for the look. */
        post: operations["refresh_containers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/session/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the container of this session; reading renews its lease. */
        get: operations["guide_session"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counts, in all and by type. */
        get: operations["containers_status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read one container by the engine's id. */
        get: operations["read_container"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/{id}/cordon": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give a container out no more. Its session goes on. Twice is fine. */
        post: operations["cordon"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/{id}/drain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cordon a container and wait until no session has it. Answers at once: `drain` says what is waited for, and until when; it is
         *     null as soon as the container is free. Again: the deadline is that of the last call.
         */
        post: operations["drain"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/{id}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read what a container writes: as it is, or as a line of JSON for each of its lines with `Accept: application/x-ndjson`. */
        get: operations["container_logs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/{id}/quarantine": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Have a container rest: it is given out no more until then, and comes back by itself. Its session goes on. What comes under its name
         *     meanwhile rests on. Again: it rests so long from the last call.
         */
        post: operations["quarantine"];
        /**
         * End a container's quarantine, and forget what a container of its name failed before. One whose reset failed is made clean again at
         *     once. Twice is fine.
         */
        delete: operations["lift_quarantine"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/{id}/restart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Have a container restarted. Answers at once: a worker does it, and `reset` in the container is null as soon as it is done.
         *     Again while that is not so: it is restarted once.
         */
        post: operations["restart"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/{id}/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read what a container uses of processor, memory and network: once, or on and on. */
        get: operations["container_stats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/{id}/uncordon": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a container be given out again; a drain of it is over. Twice is fine. */
        post: operations["uncordon"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/{session_id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give the container of this session back. */
        post: operations["guide_release"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/containers/{target_type}/allocate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take a container for a session of this id; the same one again for the same id. */
        post: operations["guide_allocate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow what happens: sessions, containers, recoveries. In each type events are in order and none is missing: what is gone
         *     (trimmed, or lost with Redis) is told by an event `resync`, after which a consumer reads anew what it needs. A client's key
         *     sees its own owner's sessions, and all containers; the keys of admins and viewers see all.
         */
        get: operations["follow_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Why a type has nothing available: how many containers are out for each reason, some of them by name, and what would help. */
        get: operations["explain"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process is alive; asks nobody else. */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read whose API key it is, and what it may do. */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics in the OpenMetrics text format. */
        get: operations["scrape"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether requests can be served: Redis answers, scripts run, and the replica is not ending. */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/recovery": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a recovery at once: containers that were held are given out. */
        post: operations["end_recovery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List sessions: your own, with an admin key everybody's; oldest first, by type. */
        get: operations["list_sessions"];
        put?: never;
        /** Make a session: take a container, or a place in the line. */
        post: operations["create_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/heartbeats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Renew many leases. */
        post: operations["send_heartbeats"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a session. For its owner this keeps a queued one's ticket alive and claims what it was offered. */
        get: operations["read_session"];
        put?: never;
        post?: never;
        /** End a session, or leave the line. Twice is fine: the answer is the ended session. */
        delete: operations["release_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{id}/hard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** The same, under the name that the guide's clients use. */
        delete: operations["release_session_hard"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{id}/heartbeat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Renew a lease for its TTL. The first renewal confirms the session. */
        post: operations["send_heartbeat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{id}/passes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a pass by which one viewer sees, or drives, the desktop of a session, as long as its lease goes on. */
        post: operations["make_pass"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{id}/vnc": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * See the desktop of a session: a WebSocket whose messages carry RFB (VNC). Its protocols are `binary`, `leasehold.pass.<pass>` and, for a
         *     viewer that may come back with the same pass, `leasehold.viewer.<a secret of its own>` (16 to 128 letters, digits, `-` and `_`). It is
         *     closed with 4001 when the lease is over, 4002 when the desktop is gone, 4003 for what cannot be carried, and 1012 when this replica
         *     ends and another one can be asked.
         */
        get: operations["show_desktop"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the target types: the settings in force, which of them were changed at run time, and counts. */
        get: operations["list_types"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/types/{type}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change settings of a type, for all replicas within a second. Leases that are there keep their TTL until they are renewed. */
        patch: operations["change_type"];
        trace?: never;
    };
    "/types/{type}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What happened to a type: how many sessions came, waited and ended in each hour, and the last of them one by one, without
         *     saying whose they were. `leasehold advise` reads it.
         */
        get: operations["type_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show how far the deliveries to each webhook are. */
        get: operations["list_webhooks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{name}/dead": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the events that a webhook did not take. */
        get: operations["list_dead_letters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{name}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send the events again that a webhook did not take: the oldest first, and before what follows. */
        post: operations["replay_webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description When a session was used, and when its holder was heard of. */
        Activity: {
            /**
             * Format: int64
             * @description What is left until it ends for want of activity; null where no idle limit holds.
             */
            idle_ends_in_ms?: number | null;
            /**
             * @description When it was last reported to be used (RFC 3339): by a heartbeat that says `active`, or a key or the pointer of a viewer that
             *     drives. Where an idle limit holds the beginning of the lease counts too; null where nothing was reported.
             */
            last_active_at?: string | null;
            /**
             * Format: int64
             * @description How long ago that is: the one to trust.
             */
            last_active_ms_ago?: number | null;
            /**
             * Format: int64
             * @description How long ago its lease was renewed; null before the first time, and where its longest duration ends it before its TTL does.
             */
            last_heard_ms_ago?: number | null;
        };
        /** @description What to audit. */
        AuditBody: {
            /** @description `next` of the answer before. */
            cursor?: string | null;
            /** @description Whether to repair what is found. */
            repair?: boolean;
            /** @description Only of this type; of all when absent. */
            target_type?: string | null;
        };
        /** @description A part of an audit. */
        AuditResult: {
            /** @description What was found in this part. */
            findings: components["schemas"]["Finding"][];
            /**
             * Format: int64
             * @description How many records and members of sets were looked at in it.
             */
            looked: number;
            /** @description For `cursor` of the next call; null when all has been looked at. */
            next?: string | null;
        };
        /** @description A container in an answer. */
        Container: {
            /** @description Since when (RFC 3339). */
            allocated_at?: string | null;
            /** @description The session that holds it. */
            allocated_to?: string | null;
            /** @description Whether an operator has it given out no more. */
            cordoned: boolean;
            /** @description Who cordoned it: owner and name of the API key; null when it is not. */
            cordoned_by?: string | null;
            /** @description When it was made (RFC 3339), by its provider's clock; null when that does not tell. */
            created_at?: string | null;
            drain?: components["schemas"]["Drain"] | null;
            /** @description By name: where to dial from outside, and on the containers' network. */
            endpoints: {
                [key: string]: components["schemas"]["Endpoint"];
            };
            /**
             * Format: int64
             * @description The last fencing token given for it; null before the first lease.
             */
            fencing_token?: number | null;
            /** @description Whether it is fit to be used. */
            health: components["schemas"]["Health"];
            /** @description Whether it is idle and given out only after the recovery: Redis may have lost a lease of it. */
            held?: boolean;
            /** @description The engine's id. */
            id: string;
            /** @description On the containers' network. */
            ip_address?: string | null;
            /** @description The engine's labels. */
            labels: {
                [key: string]: string;
            };
            /** @description The engine's name for it. */
            name: string;
            /** @description Ours: what the pool makes of it. */
            pool_state: components["schemas"]["PoolState"];
            /** @description From the container's port to the port to dial. */
            ports: {
                [key: string]: number;
            };
            /** @description The name of the provider that found it. */
            provider: string;
            quarantine?: components["schemas"]["Quarantine"] | null;
            reset?: components["schemas"]["Reset"] | null;
            /** @description The engine's word for what it does. */
            state: components["schemas"]["EngineState"];
            /**
             * @description Which kind it is.
             * @example wine
             */
            target_type: string;
        };
        /** @description One page of containers. */
        ContainerList: {
            /** @description Those of this page. */
            containers: components["schemas"]["Container"][];
            /** @description For `?cursor=` of the next page; null on the last one. */
            next?: string | null;
            /**
             * Format: int64
             * @description How many the filter matches in all.
             */
            total: number;
        };
        /** @description What a container uses, at one moment. Null is what the engine does not tell, as of one that does not run. */
        ContainerStats: {
            /**
             * Format: double
             * @description Processor time since the measurement before, in percent of one processor.
             */
            cpu_percent?: number | null;
            /** @description The engine's id. */
            id: string;
            /**
             * Format: int64
             * @description Memory in use, without what is kept of files, in bytes.
             */
            memory_bytes?: number | null;
            /**
             * Format: int64
             * @description The most that it may use, in bytes.
             */
            memory_limit_bytes?: number | null;
            /**
             * Format: int64
             * @description Received on all networks since its start, in bytes.
             */
            network_rx_bytes?: number | null;
            /**
             * Format: int64
             * @description Sent on all networks since its start, in bytes.
             */
            network_tx_bytes?: number | null;
            /** @description When it was measured, by the engine's clock, as RFC 3339. */
            time?: string | null;
        };
        /** @description A session to be made. */
        CreateBody: {
            /**
             * @description A word of the client's own, such as a user's name: the container that the owner's last session with the same word
             *     had, when it is available, else any. At most 128 bytes.
             */
            affinity?: string | null;
            /** @description End the session unless its first heartbeat comes within the confirm time (10 s unless configured otherwise). */
            confirm?: boolean;
            /** @description This container and no other; not together with waiting. */
            container_id?: string | null;
            /**
             * Format: int64
             * @description The longest the session may go on without a heartbeat that says `active`, or input of a viewer that drives; as long as configured
             *     when absent.
             */
            idle_seconds?: number | null;
            /**
             * Format: int64
             * @description The longest the session may hold its container, heartbeats or not.
             */
            max_duration_seconds?: number | null;
            /** @description Anything of the client's own, given back with the session; at most 4096 bytes of JSON unless configured otherwise. */
            metadata?: {
                [key: string]: unknown;
            };
            /** @description What to do when nothing is available, or became so within `wait_seconds`. */
            on_shortage?: components["schemas"]["Shortage"];
            /**
             * Format: int32
             * @description Seconds of head start in the line. Default 0; at most what the API key allows.
             */
            priority?: number | null;
            /**
             * @description Which kind of container.
             * @example wine
             */
            target_type: string;
            /**
             * Format: int64
             * @description What each heartbeat renews the lease for. Default 60; 5 to 600 unless configured otherwise.
             */
            ttl_seconds?: number | null;
            /**
             * Format: int64
             * @description How long this request may wait in line when nothing is available. Default 0; at most 60 unless configured otherwise.
             */
            wait_seconds?: number | null;
        };
        /** @description An event that a webhook did not take. */
        DeadLetter: {
            /**
             * Format: int32
             * @description How many there were.
             */
            attempts: number;
            /** @description Why the last attempt failed. */
            error: string;
            /** @description The event. */
            event: components["schemas"]["Event"];
            /** @description When it was given up (RFC 3339). */
            given_up_at: string;
        };
        /** @description What a webhook did not take. */
        DeadLetters: {
            /** @description The youngest of each type first. */
            letters: components["schemas"]["DeadLetter"][];
            /**
             * Format: int64
             * @description How many there are in all.
             */
            total: number;
        };
        /** @description How far the deliveries of one type are. */
        DeliveryStatus: {
            /**
             * Format: int64
             * @description Events that were given up and are to be sent again.
             */
            again: number;
            /**
             * Format: int32
             * @description Attempts at the next one, so far.
             */
            attempts: number;
            /**
             * Format: int64
             * @description Events that are not done with.
             */
            behind: number;
            /**
             * Format: int64
             * @description Events that were given up.
             */
            dead: number;
            /** @description Why the last attempt failed; null when it did not. */
            error?: string | null;
            /** @description The replica that delivers; null when none does now. */
            replica?: string | null;
            /** @description The type. */
            target_type: string;
        };
        /** @description A cordoned container whose session is waited for. */
        Drain: {
            /** @description Whether the session ends then; else it goes on, and the container stays cordoned. */
            force: boolean;
            /** @description Until when (RFC 3339). */
            until: string;
            /** @description The session that still has it. */
            waiting_for: string;
        };
        /** @description How a container is drained. */
        DrainBody: {
            /**
             * Format: int64
             * @description How long its session is waited for. Default 600; at most 86400; 0 does not wait.
             */
            deadline_seconds?: number | null;
            /** @description End the session at the deadline, with the reason `admin`. Else it goes on, and the container just stays cordoned. */
            force?: boolean;
        };
        /**
         * @description Why a session ended.
         * @enum {string}
         */
        EndReason: "released" | "expired" | "unconfirmed" | "cancelled" | "ticket_expired" | "container_lost" | "max_duration" | "idle" | "admin" | "lost_in_recovery" | "superseded";
        /** @description How to end a recovery before its time. */
        EndRecoveryBody: {
            /** @description Must be true: the caller knows that nobody holds a container whose lease was not proven. */
            assume_none: boolean;
            /** @description Only of this type; of all when absent. */
            target_type?: string | null;
        };
        /** @description How one named port of a container is reached. */
        Endpoint: {
            /** @description `host:port` from outside the containers' network; null when the port is not published. */
            address?: string | null;
            /** @description `ip:port` on the containers' network; null when it has none. */
            internal?: string | null;
        };
        /**
         * @description What the engine's own HEALTHCHECK (or readiness) says.
         * @enum {string}
         */
        EngineHealth: "none" | "starting" | "healthy" | "unhealthy";
        /**
         * @description The engine's word for what a container does.
         * @enum {string}
         */
        EngineState: "created" | "running" | "paused" | "restarting" | "exited" | "dead" | "terminating";
        /** @description Something that happened. */
        Event: {
            /**
             * @description When, by Redis's clock (RFC 3339).
             * @example 2026-11-25T12:00:00.000Z
             */
            at: string;
            /** @description More, by kind: `session`, `owner`, `container`, `token`, `reason`, `from`, `to`, … */
            data: {
                [key: string]: unknown;
            };
            /**
             * @description Unique; who may get an event twice knows it by this.
             * @example wine:1795467890123-17
             */
            id: string;
            /**
             * @description What happened; `resync` when events are gone and what is known should be read anew.
             * @example session.ready
             */
            kind: string;
            /**
             * @description The type that it happened to. Order is kept within a type only.
             * @example wine
             */
            target_type: string;
        };
        /** @description Why a type has nothing available, or that it has. */
        Explanation: {
            /**
             * Format: int64
             * @description Would be given out now.
             */
            available: number;
            /**
             * Format: int64
             * @description All of its containers that are present.
             */
            candidates: number;
            /**
             * @description Every reason for which something is out, the most frequent first. A container counts for the first that keeps it away, so that
             *     they add up to the candidates; but those that are draining are leased or offered as well.
             */
            reasons: components["schemas"]["OutReason"][];
            /** @description All of it in one sentence. */
            summary: string;
            /**
             * @description The type.
             * @example wine
             */
            target_type: string;
            /**
             * Format: int64
             * @description Sessions in line.
             */
            waiting: number;
        };
        /**
         * @description A kind of fault: the data contradict themselves.
         * @enum {string}
         */
        Fault: "member_without_record" | "misplaced" | "missing" | "wrong_set" | "lease_without_session" | "session_without_container" | "token_mismatch" | "overdue" | "incomplete_record" | "orphan_record" | "orphan_claim" | "wrong_expiry" | "due_late" | "counts";
        /** @description One fault that was found. */
        Finding: {
            /** @description Which kind. */
            fault: components["schemas"]["Fault"];
            /** @description The container or session; for `counts` what differs; empty for `due_late`. */
            id: string;
            /** @description The set or record, or the other one of the two that contradict each other. */
            place: string;
            /** @description Whether it was repaired. */
            repaired: boolean;
            /** @description The target type whose data it is in. */
            target_type: string;
        };
        /** @description A container was given. */
        GuideAllocated: {
            /** @description Always true. */
            allocated: boolean;
            /** @description The container. */
            container: components["schemas"]["Container"];
        };
        /** @description A container was given back. */
        GuideReleased: {
            /** @description Always true. */
            released: boolean;
            /** @description As given. */
            session_id: string;
        };
        /** @description A container's health and where it comes from. */
        Health: {
            /** @description The engine's own check. */
            engine: components["schemas"]["EngineHealth"];
            probe?: components["schemas"]["HealthStatus"] | null;
            /** @description Why it is not healthy, in words; null when it is. */
            reason?: string | null;
            /** @description The verdict. */
            status: components["schemas"]["HealthStatus"];
        };
        /**
         * @description Whether a container is fit to be used.
         * @enum {string}
         */
        HealthStatus: "healthy" | "unhealthy" | "unknown";
        /** @description A renewal. */
        HeartbeatBody: {
            /** @description Whether the session was used since the last heartbeat: an idle limit counts from the last one that says so, or from the last input of a viewer. */
            active?: boolean;
            /**
             * Format: int64
             * @description The holder's fencing token: when given, it must be the session's.
             */
            fencing_token?: number | null;
            /** @description The `lease_token` of the session's last answer: it proves the lease when Redis has lost it. */
            lease_token?: string | null;
        };
        /** @description What became of one renewal: the session (without its container), or the problem that a single one would have answered. */
        HeartbeatResult: {
            problem?: components["schemas"]["Problem"] | null;
            session?: components["schemas"]["Session"] | null;
            /** @description As given. */
            session_id: string;
        };
        /** @description Many renewals: at most 1,000. */
        HeartbeatsBody: {
            /** @description The renewals. */
            heartbeats: components["schemas"]["OneHeartbeat"][];
        };
        /** @description What became of many, in the order of the request. */
        HeartbeatsResult: {
            /** @description One for each. */
            results: components["schemas"]["HeartbeatResult"][];
        };
        /** @description An hour in which something happened. */
        Hour: components["schemas"]["HourCounts"] & {
            /**
             * @description When it began (RFC 3339).
             * @example 2026-11-25T12:00:00Z
             */
            from: string;
        };
        /** @description What happened in an hour. Each thing counts in the hour in which it became known: a session's time in that of its end. */
        HourCounts: {
            /**
             * Format: int64
             * @description Sessions that were made: ready at once, or with a place in the line. Those that were refused are not known.
             * @default 0
             */
            arrivals?: number;
            /**
             * Format: int64
             * @description Those that got a container at once.
             * @default 0
             */
            at_once?: number;
            /**
             * Format: int64
             * @description How long that took, in all (ms).
             * @default 0
             */
            away_ms?: number;
            /**
             * Format: int64
             * @description Sessions that ended and had a container.
             * @default 0
             */
            ended?: number;
            /**
             * Format: int64
             * @description How often events were gone before they were counted.
             * @default 0
             */
            gaps?: number;
            /**
             * Format: int64
             * @description Those that left the line without one.
             * @default 0
             */
            gave_up?: number;
            /**
             * Format: int64
             * @description How long they had it, in all (ms).
             * @default 0
             */
            held_ms?: number;
            /**
             * @description The same by size.
             * @default []
             * @example [
             *       [
             *         60,
             *         4
             *       ]
             *     ]
             */
            holds?: [
                number,
                number
            ][];
            /**
             * Format: int64
             * @description The most sessions that had a container at once.
             * @default 0
             */
            most_held?: number;
            /**
             * Format: int64
             * @description Containers that were made clean, or probed, after a session and could be given out again.
             * @default 0
             */
            returned?: number;
            /**
             * Format: int64
             * @description How long these waited, in all (ms).
             * @default 0
             */
            wait_ms?: number;
            /**
             * Format: int64
             * @description Those that got one after waiting.
             * @default 0
             */
            waited?: number;
            /**
             * @description The same by size.
             * @default []
             * @example [
             *       [
             *         0.1,
             *         3
             *       ],
             *       [
             *         1.131,
             *         1
             *       ]
             *     ]
             */
            waits?: [
                number,
                number
            ][];
        };
        /** @description What a ready session holds. */
        Lease: {
            /** @description The same by Redis's wall clock (RFC 3339); `expires_in_ms` is the one to trust. */
            expires_at: string;
            /**
             * Format: int64
             * @description What is left, counted from when the answer was made.
             */
            expires_in_ms: number;
            /**
             * Format: int64
             * @description Grows with every lease of the container: the container can refuse a lower one.
             */
            fencing_token: number;
            /**
             * Format: int64
             * @description How often to renew.
             */
            heartbeat_interval_seconds: number;
            /**
             * @description What the lease is proven by when Redis has lost it: to be given with each heartbeat. Null when the pool has no key to
             *     sign with, and in answers to many heartbeats at once.
             */
            lease_token?: string | null;
            /** @description Redis may have lost leases: the next heartbeat is to carry the lease token. */
            proof_wanted?: boolean;
            /**
             * Format: int64
             * @description What a heartbeat renews it for.
             */
            ttl_seconds: number;
        };
        /** @description The process is alive. */
        Liveness: {
            /** @description Always `ok`. */
            status: string;
            /** @description The program's version. */
            version: string;
        };
        /** @description A line of a container's log, or a part of a long one. */
        LogLine: {
            /** @description The text, without the line's end; what is no UTF-8 is replaced. */
            line: string;
            /** @description The next one of its stream goes on with the same line. */
            partial?: boolean;
            /** @description Where to. */
            stream: components["schemas"]["LogStream"];
            /** @description When it was written, by the engine's clock, as RFC 3339; null when the engine does not tell. */
            time?: string | null;
        };
        /**
         * @description Where a process wrote a line.
         * @enum {string}
         */
        LogStream: "stdout" | "stderr";
        /** @description Whose key it is. */
        Me: {
            /** @description Whether a key is asked for. Without any configured, everybody who reaches the server may do everything. */
            auth_required: boolean;
            /** @description Its name in the configuration; `none` where no key is asked for. */
            key: string;
            /** @description Who its sessions belong to. */
            owner: string;
            /** @description What it may do. */
            role: components["schemas"]["Role"];
        };
        /** @description A container that is out, and what is known of why. */
        NamedContainer: {
            /** @description Why, in words, where more is known than the reason. */
            because?: string | null;
            /** @description The engine's id. */
            id: string;
            /** @description The engine's name for it. */
            name: string;
            /**
             * Format: int64
             * @description For a lease, an offer, a drain, quarantine and a recovery: to its end, unless it is renewed. Else how long it has been so.
             */
            seconds?: number | null;
            /** @description The session that has it. */
            session_id?: string | null;
        };
        /** @description One renewal of many. */
        OneHeartbeat: {
            /** @description Whether the session was used since the last heartbeat: an idle limit counts from the last one that says so, or from the last input of a viewer. */
            active?: boolean;
            /**
             * Format: int64
             * @description The holder's fencing token: when given, it must be the session's.
             */
            fencing_token?: number | null;
            /** @description The `lease_token` of a session: needed only where the last answer said `proof_wanted` or `lease_token_required`. */
            lease_token?: string | null;
            /** @description The session. */
            session_id: string;
        };
        /** @description One reason, how many are out for it, and what would help. */
        OutReason: {
            /** @description Some of them, ten at most. */
            containers: components["schemas"]["NamedContainer"][];
            /**
             * Format: int64
             * @description Containers; for `line_ahead` sessions, for a provider 1.
             */
            count: number;
            /** @description What it means here, in words. */
            detail: string;
            /** @description What would help, in words. */
            help: string;
            /** @description The reason. */
            reason: components["schemas"]["Reason"];
        };
        /** @description A viewer pass, as it is given to its viewer. */
        Pass: {
            /** @description When its viewer must have come, by Redis's clock. */
            expires_at: string;
            /**
             * Format: int64
             * @description The lease that it is for: it ends with it.
             */
            fencing_token: number;
            /** @description The secret: for one viewer, as the WebSocket's protocol `leasehold.pass.<pass>`, beside `binary`. */
            pass: string;
            /** @description Where the WebSocket is. */
            path: string;
            /**
             * Format: uuid
             * @description The session whose desktop it shows.
             */
            session_id: string;
            /** @description Whether its viewer only watches. */
            view_only: boolean;
        };
        /** @description A pass to be made. */
        PassBody: {
            /**
             * Format: int64
             * @description Seconds until its viewer must have come. Default 60; at most 3600 unless configured otherwise.
             */
            expires_in?: number | null;
            /**
             * Format: int64
             * @description The holder's fencing token: when given, it must be the session's.
             */
            fencing_token?: number | null;
            /** @description Its viewer sees the desktop, and nothing that it does reaches it. */
            view_only?: boolean;
        };
        /** @description A session that is over. */
        PastSession: {
            /**
             * @description When it was made (RFC 3339).
             * @example 2026-11-25T12:00:00.000Z
             */
            arrived: string;
            /**
             * Format: double
             * @description How long it had its container.
             */
            duration_seconds: number;
        };
        /**
         * @description Ours: the first that applies, derived from the facts by `settle`.
         * @enum {string}
         */
        PoolState: "allocated" | "resetting" | "unhealthy" | "initializing" | "available";
        /** @description Counts of the whole pool. */
        PoolStatus: {
            /**
             * Format: int64
             * @description Leased, or offered to a session in line.
             */
            allocated: number;
            /**
             * Format: int64
             * @description Would be given out now.
             */
            available: number;
            /** @description The same by target type, and more. */
            by_type: {
                [key: string]: components["schemas"]["TypeStatus"];
            };
            /** @description Where containers come from. */
            providers: components["schemas"]["ProviderState"][];
            /**
             * Format: int64
             * @description All that are present.
             */
            total_containers: number;
        };
        /** @description An error answer. `code` is stable; `detail` is for people. */
        Problem: {
            /**
             * @description Stable, for programs.
             * @example no_available_containers
             */
            code: string;
            /**
             * @description This problem, in words.
             * @example No available wine containers
             */
            detail: string;
            /** @description For `session_ended`: why. */
            end_reason?: string | null;
            /**
             * Format: int64
             * @description For `stale_fencing_token`: the session's.
             */
            fencing_token?: number | null;
            /** @description For `unknown_target_type`: the known ones. */
            known_types?: string[] | null;
            /** @description For `quota_exceeded`: `sessions_max` or `tickets_max`. */
            quota?: string | null;
            /** @description For `no_available_containers`: how many containers are out for each reason; `GET /explain` says more. */
            reasons?: {
                [key: string]: number;
            } | null;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The kind of problem, in words. */
            title: string;
            /** @description The trace that the request belongs to, where it is known: logs name it. */
            trace_id?: string | null;
            /**
             * @description `urn:leasehold:problem:` and the code.
             * @example urn:leasehold:problem:no_available_containers
             */
            type: string;
        };
        /** @description A source of containers. */
        ProviderState: {
            /**
             * Format: double
             * @description Seconds since the last full look that succeeded; null before the first.
             */
            age_seconds?: number | null;
            /** @description The replica that discovers for it; null when none does now. */
            discoverer?: string | null;
            /** @description Why the last look failed; null when it did not. */
            error?: string | null;
            /** @description Its name in the configuration. */
            name: string;
            /** @description It was not seen for too long: what is known of its containers is old. */
            stale: boolean;
        };
        /** @description A container that failed again and again, or could not be made clean, or that an operator put there, rests. */
        Quarantine: {
            /** @description Who put it there by hand: owner and name of the API key; null when nobody did. */
            by?: string | null;
            /** @description How it failed last: `probe`, `check`, `exited`, `restarted`, `lost` or `reset`; `operator` when it was put there by hand. */
            reason: string;
            /**
             * Format: int64
             * @description How many times in a row it rests.
             */
            times: number;
            /** @description Until when (RFC 3339). */
            until: string;
        };
        /** @description How a container is put into quarantine. */
        QuarantineBody: {
            /**
             * Format: int64
             * @description How long it rests from now. Default 1800; 1 to 604800.
             */
            rest_seconds?: number | null;
        };
        /** @description The replica serves requests. */
        Readiness: {
            /** @description What providers may not do, by their names, and what that turns off; as far as this replica has asked. */
            missing_rights?: string[];
            /** @description Always true: when it is not, the answer is a problem. */
            ready: boolean;
            /** @description Types that recover from a loss of Redis: heartbeats are served, and what may still be held is not given out. */
            recovering?: string[];
        };
        /**
         * @description What keeps a container, or a whole type, from being given out.
         * @enum {string}
         */
        Reason: "none_found" | "leased" | "offered" | "draining" | "resetting" | "quarantined" | "probe_failing" | "check_failing" | "not_running" | "terminating" | "unhealthy" | "initializing" | "cordoned" | "held" | "line_ahead" | "provider_unreachable" | "provider_stale";
        /** @description After a loss of Redis: what somebody may still hold is not given out. */
        Recovery: {
            /**
             * Format: int64
             * @description Unless an operator ends it before.
             */
            ends_in_seconds: number;
            /**
             * Format: int64
             * @description Since the loss was found.
             */
            lasted_seconds: number;
            /**
             * Format: int64
             * @description Leases that were proven to be live.
             */
            proven: number;
        };
        /** @description What was ended. */
        RecoveryEnded: {
            /** @description The types whose recovery was ended. */
            ended: string[];
        };
        /** @description The pool after a refresh. */
        Refreshed: {
            /** @description Always true. */
            refreshed: boolean;
            /** @description The counts afterwards. */
            status: components["schemas"]["PoolStatus"];
        };
        /** @description What is sent again. */
        Replayed: {
            /**
             * Format: int64
             * @description How many events.
             */
            replayed: number;
        };
        /** @description How a container is being made clean. */
        Reset: {
            /** @description Why the last attempt failed; null when none did. */
            failure?: string | null;
            /** @description How far that is. */
            state: components["schemas"]["ResetState"];
        };
        /**
         * @description How far a reset is.
         * @enum {string}
         */
        ResetState: "pending" | "failed";
        /** @description How a container is restarted. */
        RestartBody: {
            /** @description End the session that has it, with the reason `admin`. Else such a container is refused. */
            force?: boolean;
        };
        /**
         * @description What an API key may do. Each role may do all that the ones after it may; but a viewer's event stream shows every owner's
         *     sessions, a client's its own.
         * @enum {string}
         */
        Role: "admin" | "client" | "viewer";
        /** @description How a type is scaled, beside what can be changed at run time. */
        ScaleTerms: {
            /**
             * Format: double
             * @description A container is taken away when so long none was needed beyond those that stay.
             */
            calm_seconds: number;
            /** @description It is only told what would be done. */
            dry_run: boolean;
            /**
             * Format: double
             * @description How far back these are looked for.
             */
            peak_window_seconds: number;
            /** @description When more are to be there, whatever demand is. */
            schedule: components["schemas"]["ScaleTime"][];
            /**
             * Format: double
             * @description The fewest are also this share of the most sessions at once within `peak_window_seconds`; null: no share.
             */
            share_of_peak?: number | null;
            /** @description What new ones are made like, by name; null: the oldest. */
            template?: string | null;
            /**
             * Format: double
             * @description Between two additions.
             */
            up_pause_seconds: number;
        };
        /** @description A time at which more containers are to be there. */
        ScaleTime: {
            /**
             * @description When it begins, each time.
             * @example 0 8 * * 1-5
             */
            cron: string;
            /**
             * Format: double
             * @description How long it lasts.
             */
            duration_seconds: number;
            /**
             * Format: int64
             * @description The fewest while it lasts.
             */
            min: number;
            /**
             * Format: int64
             * @description Idle ones beside those in use and waited for, while it lasts.
             */
            min_idle: number;
            /**
             * @description Whose clock that is by.
             * @example Europe/Berlin
             */
            time_zone: string;
        };
        /** @description A session in an answer. */
        Session: {
            activity?: components["schemas"]["Activity"] | null;
            container?: components["schemas"]["Container"] | null;
            /** @description RFC 3339. */
            created_at: string;
            end_reason?: components["schemas"]["EndReason"] | null;
            /** @description RFC 3339. */
            ended_at?: string | null;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            lease?: components["schemas"]["Lease"] | null;
            /** @description What the client gave at creation. */
            metadata: {
                [key: string]: unknown;
            };
            /** @description Who it belongs to. */
            owner: string;
            /** @description Where it is in its life. */
            state: components["schemas"]["SessionState"];
            /**
             * @description Which kind of container it claims.
             * @example wine
             */
            target_type: string;
            ticket?: components["schemas"]["Ticket"] | null;
            /** @description Of the ends that come near. */
            warnings?: components["schemas"]["Warning"][];
        };
        /**
         * @description Where a session is in its life.
         * @enum {string}
         */
        SessionState: "queued" | "ready" | "ended";
        /**
         * @description What to do when nothing is available.
         * @enum {string}
         */
        Shortage: "fail" | "queue";
        /** @description A queued session's place in its type's line. */
        Ticket: {
            /**
             * Format: int64
             * @description From the sessions that ended lately; null when there were none.
             */
            estimated_wait_seconds?: number | null;
            /**
             * Format: int64
             * @description Poll (read the session) at least this often, or the ticket ends.
             */
            poll_within_seconds: number;
            /**
             * Format: int64
             * @description 1 is next.
             */
            position: number;
            /**
             * Format: int32
             * @description The seconds of head start that were asked for; 0 also of one that a version without this field made.
             */
            priority?: number;
        };
        /** @description Settings to be changed: a number for each, null for as it is configured. What is absent stays. */
        TypeBody: {
            /**
             * Format: int64
             * @description How long an offer, or a session made with `confirm`, waits to be confirmed. 1 to 600.
             * @default null
             */
            confirm_seconds?: number | null;
            /**
             * Format: int64
             * @description Most tickets in line. 0: nobody waits.
             * @default null
             */
            line_max?: number | null;
            /**
             * Format: int64
             * @description The longest that a session may last in all; for sessions that begin from now on.
             * @default null
             */
            max_duration_seconds?: number | null;
            /**
             * Format: int64
             * @description Bad probes in a row that make it unhealthy. 1 to 100.
             * @default null
             */
            probe_fall?: number | null;
            /**
             * Format: int64
             * @description Time between two probes of a container. 1 to 3600.
             * @default null
             */
            probe_interval_seconds?: number | null;
            /**
             * Format: int64
             * @description Good probes in a row that make a container healthy. 1 to 100.
             * @default null
             */
            probe_rise?: number | null;
            /**
             * Format: int64
             * @description The most containers. At most 10000.
             * @default null
             */
            scale_max?: number | null;
            /**
             * Format: int64
             * @description The fewest containers. At most `scale_max`.
             * @default null
             */
            scale_min?: number | null;
            /**
             * Format: int64
             * @description Containers that are idle beside those in use and waited for. At most `scale_max`.
             * @default null
             */
            scale_min_idle?: number | null;
            /**
             * Format: int64
             * @description A lease's time to live when the client names none.
             * @default null
             */
            ttl_default_seconds?: number | null;
            /**
             * Format: int64
             * @description The longest that a client may ask for; at most the longest lease that a recovery waits for.
             * @default null
             */
            ttl_max_seconds?: number | null;
            /**
             * Format: int64
             * @description The longest that a ticket may wait, however often it is polled. At most a day.
             * @default null
             */
            wait_max_seconds?: number | null;
        };
        /** @description The history of a type. */
        TypeHistory: {
            /**
             * @description When it was read, by Redis's clock (RFC 3339).
             * @example 2026-11-25T12:30:00.000Z
             */
            at: string;
            /** @description The last 840 hours in which something happened, in order. */
            hours: components["schemas"]["Hour"][];
            /** @description The last 10,000 sessions that are over, by their end. */
            sessions: components["schemas"]["PastSession"][];
            /**
             * @description The type.
             * @example wine
             */
            target_type: string;
        };
        /** @description A target type. */
        TypeInfo: {
            /** @description Those of them that were changed at run time; the others are as configured. */
            changed: {
                [key: string]: number;
            };
            /** @description How many containers and sessions there are. */
            counts: components["schemas"]["TypeStatus"];
            scale?: components["schemas"]["TypeScale"] | null;
            scale_terms?: components["schemas"]["ScaleTerms"] | null;
            /** @description As they are in force. */
            settings: components["schemas"]["TypeSettings"];
            /**
             * @description Its name.
             * @example wine
             */
            target_type: string;
        };
        /** @description A decision about how many containers a type should have. */
        TypeScale: {
            /** @description When, by Redis's clock. Once a second, while a replica has the role `scale`. */
            decided_at: string;
            /** @description More about it, in words. */
            detail?: string | null;
            /**
             * @description Why there are as many as there are, or more or fewer are made. One word.
             * @example steady
             */
            reason: string;
            /**
             * Format: int64
             * @description So many, within `scale_min` and `scale_max`.
             */
            wanted: number;
        };
        /** @description The settings of a type that can be changed at run time, as they are in force. */
        TypeSettings: {
            /**
             * Format: double
             * @description How long an offer, or a session made with `confirm`, waits to be confirmed.
             */
            confirm_seconds: number;
            /**
             * Format: int64
             * @description Most tickets in line.
             */
            line_max: number;
            /**
             * Format: double
             * @description The longest that a session may last in all; null: no bound.
             */
            max_duration_seconds?: number | null;
            /**
             * Format: int32
             * @description Bad probes in a row that make it unhealthy.
             */
            probe_fall: number;
            /**
             * Format: double
             * @description Time between two probes of a container, give or take a tenth.
             */
            probe_interval_seconds: number;
            /**
             * Format: int32
             * @description Good probes in a row that make a container healthy.
             */
            probe_rise: number;
            /**
             * Format: int64
             * @description The most containers; null: the type is not scaled.
             */
            scale_max?: number | null;
            /**
             * Format: int64
             * @description The fewest containers; null: the type is not scaled.
             */
            scale_min?: number | null;
            /**
             * Format: int64
             * @description Containers that are idle beside those in use and waited for; null: the type is not scaled.
             */
            scale_min_idle?: number | null;
            /**
             * Format: double
             * @description A lease's time to live when the client names none.
             */
            ttl_default_seconds: number;
            /**
             * Format: double
             * @description The longest that a client may ask for.
             */
            ttl_max_seconds: number;
            /**
             * Format: double
             * @description The longest that a ticket may wait, however often it is polled.
             */
            wait_max_seconds: number;
        };
        /** @description Counts of one target type, from the sizes of its sets. What an older server does not count reads as 0. */
        TypeStatus: {
            /**
             * Format: int64
             * @description Leased, or offered to a session in line.
             * @default 0
             */
            allocated?: number;
            /**
             * Format: int64
             * @description Would be given out now.
             * @default 0
             */
            available?: number;
            /**
             * Format: int64
             * @description Idle, and given out no more.
             * @default 0
             */
            cordoned?: number;
            /**
             * Format: int64
             * @description Of those that are unhealthy: idle, and given out only after the recovery.
             * @default 0
             */
            held?: number;
            /**
             * Format: int64
             * @description No verdict yet.
             * @default 0
             */
            initializing?: number;
            /**
             * Format: int64
             * @description For how long the oldest reset has been going on; null when none is.
             * @default null
             */
            oldest_reset_seconds?: number | null;
            /**
             * Format: int64
             * @description In quarantine: of those that are unhealthy, and those that rest when their session is over.
             * @default 0
             */
            quarantined?: number;
            /** @default null */
            recovery?: components["schemas"]["Recovery"] | null;
            /**
             * Format: int64
             * @description Being made clean after a session.
             * @default 0
             */
            resetting?: number;
            /**
             * Format: int64
             * @description Sessions in line.
             * @default 0
             */
            sessions_queued?: number;
            /**
             * Format: int64
             * @description Sessions that hold a container.
             * @default 0
             */
            sessions_ready?: number;
            /**
             * Format: int64
             * @description All that are present.
             * @default 0
             */
            total?: number;
            /**
             * Format: int64
             * @description Not fit to be given out.
             * @default 0
             */
            unhealthy?: number;
        };
        /** @description What the holder of a session is to be told before it happens. */
        Warning: {
            /**
             * Format: int64
             * @description How much is left until then.
             */
            ends_in_ms: number;
            /** @description What the session is to end for: `idle`, unless activity is reported, or `max_duration`. */
            reason: components["schemas"]["EndReason"];
        };
        /** @description A webhook, and how far its deliveries are. */
        WebhookStatus: {
            /** @description By type. */
            deliveries: components["schemas"]["DeliveryStatus"][];
            /** @description Its name in the configuration. */
            name: string;
            /** @description Where it is; what follows the host is not shown. */
            url: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    audit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AuditBody"] | null;
            };
        };
        responses: {
            /** @description What was found */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditResult"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not an admin's key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unknown target type */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_containers: {
        parameters: {
            query?: {
                /** @description Only of this type. */
                target_type?: string;
                /** @description Only those that would be given out now. */
                available_only?: boolean;
                /** @description Items on a page. Default 100; at most 1000. */
                limit?: number;
                /** @description `next` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContainerList"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unknown target type */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    refresh_containers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The counts afterwards */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Refreshed"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    guide_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The container */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Container"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No live session of yours */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    containers_status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The counts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PoolStatus"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_container: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Container"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such container */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cordon: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is cordoned */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Container"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such container */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drain: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["DrainBody"] | null;
            };
        };
        responses: {
            /** @description It is cordoned, and free or being drained */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Container"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such container */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    container_logs: {
        parameters: {
            query?: {
                /** @description Go on with what is written from now on. */
                follow?: boolean;
                /** @description Only so many of the last lines there are. */
                tail?: number;
                /** @description Only what was written since then: a time (RFC 3339), or how long ago (`10m`). */
                since?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its log, to the end or on and on */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": components["schemas"]["LogLine"];
                    "text/plain": string;
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not an admin's key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such container */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Its provider tells no logs, or this replica does not have it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    quarantine: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["QuarantineBody"] | null;
            };
        };
        responses: {
            /** @description It is in quarantine */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Container"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such container */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    lift_quarantine: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is not in quarantine */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Container"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such container */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restart: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RestartBody"] | null;
            };
        };
        responses: {
            /** @description It will be restarted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Container"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such container */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A session has it; or its provider cannot restart containers, or this replica does not have it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    container_stats: {
        parameters: {
            query?: {
                /** @description Go on, with a line of JSON about each second. */
                stream?: boolean;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What it uses */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContainerStats"];
                    "application/x-ndjson": components["schemas"]["ContainerStats"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not an admin's key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such container */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Its provider does not tell, or this replica does not have it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uncordon: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is not cordoned */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Container"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such container */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    guide_release: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Given back */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GuideReleased"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such session of yours */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    guide_allocate: {
        parameters: {
            query: {
                /** @description The client's own id of the session: 1 to 128 bytes. */
                session_id: string;
            };
            header?: never;
            path: {
                target_type: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Taken */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GuideAllocated"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unknown target type */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The id is in use for another type */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The owner has as many as it may (`quota_exceeded`), or the key asks too often (`rate_limited`) */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nothing is available */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    follow_events: {
        parameters: {
            query?: {
                /** @description Only of this type. */
                target_type?: string;
                /** @description Only kinds that begin with this, as `session.` or `container.state`. */
                kind?: string;
                /** @description Only of this session. */
                session?: string;
                /** @description Only of this container. */
                container?: string;
                /** @description Where to begin when there is no `Last-Event-ID`. Default `now`. */
                from?: "now" | "start";
                /** @description Whether to go on with what happens; else the answer ends with the last event that is kept. Default true. */
                follow?: boolean;
            };
            header?: {
                /** @description The `id` of the last event that was received: goes on after it. */
                "Last-Event-ID"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events as server-sent events: `event` is the kind, `data` this in JSON, `id` for `Last-Event-ID` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["Event"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unknown target type */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description As many streams and long polls as allowed are open, or Redis is away: see Retry-After */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    explain: {
        parameters: {
            query: {
                /** @description The type. */
                target_type: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What keeps containers away, also when something is available */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Explanation"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A viewer's key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unknown target type: `known_types` names the others */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Liveness"];
                };
            };
        };
    };
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Owner, role and name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    scrape: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/openmetrics-text": string;
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They can */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description They cannot: `code` says why */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    end_recovery: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndRecoveryBody"];
            };
        };
        responses: {
            /** @description It has ended, where there was one */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryEnded"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not an admin's key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unknown target type */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `assume_none` is not true */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_sessions: {
        parameters: {
            query?: {
                /** @description Only of this type. */
                target_type?: string;
                /** @description Only in this state. */
                state?: "queued" | "ready" | "ended";
                /** @description Also those that ended within the last 24 hours. */
                include_ended?: boolean;
                /** @description Items on a page. Default 100; at most 1000. */
                limit?: number;
                /** @description From the `Link` header of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page; `Link: <…>; rel="next"` leads to the next */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"][];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unknown target type */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_session: {
        parameters: {
            query?: never;
            header?: {
                /** @description Repeating a request with the same key and body gives the same session. */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateBody"];
            };
        };
        responses: {
            /** @description It is ready */
            201: {
                headers: {
                    /** @description `true` when the session was there before */
                    "Idempotency-Replayed"?: string | null;
                    /** @description The session */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description It is queued (`on_shortage: queue`) */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unknown target type */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `container_id` is not available */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The session of this Idempotency-Key has ended */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range, or the Idempotency-Key was used with another body */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The line is full (`line_full`), the owner has as many as it may (`quota_exceeded`: `quota` names which), or the key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nothing is available, or Redis is away: see Retry-After */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    send_heartbeats: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HeartbeatsBody"];
            };
        };
        responses: {
            /** @description What became of each, in the order of the request */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HeartbeatsResult"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description More than 1,000 */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_session: {
        parameters: {
            query?: {
                /** @description How long to wait for a queued session to become ready. Default 0; at most 60. */
                wait_seconds?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such session of yours */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    release_session: {
        parameters: {
            query?: {
                /** @description The holder's fencing token: when given, it must be the session's. */
                fencing_token?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such session of yours */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The fencing token is stale */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    release_session_hard: {
        parameters: {
            query?: {
                /** @description The holder's fencing token: when given, it must be the session's. */
                fencing_token?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such session of yours */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The fencing token is stale */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    send_heartbeat: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["HeartbeatBody"] | null;
            };
        };
        responses: {
            /** @description Renewed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such session of yours */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The fencing token is stale, the session is queued, or (`lease_token_required`) Redis has lost it and a proof is needed */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The session has ended: `end_reason` says why */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    make_pass: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PassBody"];
            };
        };
        responses: {
            /** @description The pass. It is shown only now */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pass"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such session of yours */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The session is queued, or the fencing token is stale */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The session has ended */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The session has as many passes as it may (`too_many_passes`), or the key asks too often: see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_desktop: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The desktop */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A page of another origin */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The container tells of no desktop */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The session has ended */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No WebSocket was asked for */
            426: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The desktop does not answer, or as many viewers as may be are there: see Retry-After */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_types: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every type that was ever configured or discovered */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TypeInfo"][];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_type: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                type: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TypeBody"];
            };
        };
        responses: {
            /** @description They are in force */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TypeInfo"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key's role does not suffice */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unknown target type */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not `application/json` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    type_history: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                type: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Up to a few seconds ago, as far as a replica has the role `events` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TypeHistory"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A viewer's key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unknown target type */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_webhooks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All webhooks of this replica's configuration */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookStatus"][];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not an admin's key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_dead_letters: {
        parameters: {
            query?: {
                /** @description Letters of each type. Default 100; at most 1000. */
                limit?: number;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its dead letters */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetters"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not an admin's key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such webhook */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replay_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How many are sent again */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Replayed"];
                };
            };
            /** @description A field or parameter is malformed: `detail` names it */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No API key, or one that is not known */
            401: {
                headers: {
                    /** @description `Bearer` */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not an admin's key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such webhook */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A value is out of range: `detail` names it and what is right */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key asks too often (`rate_limited`): see Retry-After */
            429: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Redis does not answer: see Retry-After */
            503: {
                headers: {
                    /** @description Seconds to wait */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
