"""The house rules as tables. `check.py` compares them with what the compiler really read and with the sources."""

# Which room may use which, as controller/README.md draws it. A room always may use itself.
USES = {
    "base": set(),
    "json": {"base"},
    "telemetry": {"base", "json", "crypto"},
    "crypto": {"base"},
    "net": {"base"},
    "http": {"base", "telemetry", "crypto"},
    "api": {"base", "json"},
    "ports": {"base", "api"},
    "decide": {"base", "api", "ports"},
    "kube": {"base", "json", "telemetry", "crypto", "http", "ports", "api"},
    "acme": {"base", "json", "telemetry", "crypto", "http", "ports", "api"},
    "dns": {"base", "json", "telemetry", "crypto", "net", "http", "ports", "api"},
    "genesys": {"base", "json", "telemetry", "crypto", "http", "ports", "api"},
    "probe": {"base", "telemetry", "crypto", "net", "ports", "api"},
    "ssh": {"base", "crypto", "net", "ports", "api"},
    "pki": {"base", "crypto", "ports", "api"},
    "pinfile": {"base", "json", "crypto", "ports", "api"},
    "forecast": {"base", "json", "api", "decide", "ports"},
    "view": {"base", "json", "telemetry", "api", "decide"},
    "page": {"base", "json", "crypto", "http", "api", "view"},
    "audit": {"base", "json", "crypto", "telemetry", "http", "api", "ports", "decide"},
    "plugin": {"audit", "base", "json", "crypto", "telemetry", "http", "api", "ports", "decide", "kube", "forecast", "view"},
    "runtime": {"base", "telemetry"},
    "reconcile": {"base", "api", "decide", "ports", "runtime", "telemetry"},
}
ANYTHING = {"main"}  # wiring and tools: may use every room, and nobody uses them

# Third-party headers, by the start of their path below the system's include folders, and the rooms whose code may read them.
THIRD_PARTY = {
    "cpprest/": {"http"},
    "pplx/": {"http"},
    "boost/beast": {"http"},
    "openssl/": {"crypto", "http", "probe", "dns"},  # dns: ldns/ldns.h brings it along
    "ldns/": {"dns"},
    "libssh/": {"ssh"},
    "prometheus/": {"telemetry"},
    "yaml-cpp/": {"kube", "main", "plugin"},
    "simdjson.h": {"json"},
    "nlohmann/": {"json", "api", "kube", "acme", "dns", "genesys", "telemetry", "forecast", "pinfile", "audit", "plugin", "view", "page"},
    "pugixml.hpp": {"dns"},
    "date/": {"decide"},
    "libpsl.h": {"decide"},
    "CLI/": {"main", "plugin"},
}

# Words that touch the world, and the files that may use them (paths below controller/).
WORLD = {
    r"system_clock::now|steady_clock::now|std::time\(|clock_gettime|gettimeofday": {
        "base/src/clock.cpp",
        "http/src/exchange.cpp",  # the deadline of an exchange
    },
    r"sleep_for|sleep_until|usleep\(|nanosleep": set(),
    r"getrandom|std::random_device|\brand\(\)|std::mt19937": {"base/src/random.cpp"},
    r"\bgetenv\(": {"main/src/process.cpp"},
    r"\bsystem\(|\bpopen\(|\bexecv|\bexecl|posix_spawn|\bfork\(": {"plugin/src/run_program.cpp"},  # what gives credentials to a person
    r"\.detach\(\)": {"audit/src/log.cpp"},  # a thread in a system call of a volume that does not answer, which nobody can end
}

# For reasons.py. First halves of reasons; the second is how a request failed (docs/states.md).
SUBJECTS = {"Account", "Api", "Cluster", "Connection", "Dns", "Endpoint", "Heartbeat", "Import", "Issuer", "Service", "TrustAnchors", "Upload"}
# Words in strings of the same shape that are no reason, no condition and no Event.
NO_REASONS = {
    # what the engines of the smaller kinds do, in the log
    "AskStatus", "CheckConnection", "KeepTrustAnchors", "ListEdges", "ListTrunks", "LookAtEndpoint", "Ping", "RegisterAccount",
    # what the engine of the pins of Edges does, and the kind of its keys
    "ClaimSlots", "CleanEdge", "ConfirmPins", "EdgePins", "InstallPins", "LookAtMachine", "PrepareEdge", "ProvePins", "ReleaseSlots", "RestartService", "RestorePins", "SetFinalizer", "SetService",
    # a vantage
    "Operator",
    # what somebody else says
    "AlreadyExists", "Critical", "INIT", "InService", "OK", "SIP", "Warning",
    # HTTP, and the environment
    "GET", "HEAD", "HOME", "HOSTNAME", "KUBECONFIG",
}
