/// Every mapping of the configuration file, for its decoders, for hints and for the reference.
enum ConfigurationSchema {
  static let root = Schema(
    path: "", noun: "the configuration",
    keys: [
      .required("version"), .required("listeners"), .required("upstreams"), .required("policies"),
      .optional("audit"), .optional("admin"), .optional("limits"), .optional("drain_timeout"),
      .optional("workers"),
    ])

  static let listener = Schema(
    path: "listeners[]", noun: "a listener",
    keys: [
      .required("name"), .required("listen"), .required("tls"), .required("upstream"),
      .optional("protocol"), .optional("proxy_protocol"), .optional("limits"),
      .optional("mysql_server_version"), .optional("socket"),
    ])

  static let socketFile = Schema(
    path: "listeners[].socket", noun: "socket",
    keys: [.optional("mode"), .optional("user"), .optional("group")])

  static let proxyProtocol = Schema(
    path: "listeners[].proxy_protocol", noun: "proxy_protocol", keys: [.required("from")])

  static let serverTLS = Schema(
    path: "listeners[].tls", noun: "a listener's tls",
    keys: IdentityReader.keys + [
      .optional("ocsp_response"), .required("client_ca"),
      .optional("client_crl"), .optional("crl_stale"), .optional("crl_required"),
      .optional("min_version"), .optional("alpn"), .optional("hosts"), .optional("unknown_server_name"),
      .optional("resumption"),
    ])

  static let clientCA = Schema(
    path: "listeners[].tls.client_ca[]", noun: "a labelled client_ca",
    keys: [.required("label"), .required("file")])

  static let staleCRL = Schema(
    path: "listeners[].tls.crl_stale", noun: "crl_stale", keys: [.required("allow_for")])

  static let host = Schema(
    path: "listeners[].tls.hosts[]", noun: "an entry of hosts",
    keys: [.required("server_name")] + IdentityReader.keys + [
      .optional("ocsp_response"), .optional("client_ca"),
    ])

  static let upstream = Schema(
    path: "upstreams[]", noun: "an upstream",
    keys: [
      .required("name"), .required("address"), .optional("balance"), .optional("connect_timeout"),
      .optional("proxy_protocol"), .optional("tls"), .optional("health_check"),
    ])

  static let healthCheck = Schema(
    path: "upstreams[].health_check", noun: "health_check",
    keys: [.optional("probe"), .optional("interval"), .optional("timeout")])

  static let upstreamTLS = Schema(
    path: "upstreams[].tls", noun: "an upstream's tls",
    keys: [.required("ca"), .optional("server_name")] + IdentityReader.keys)

  static let audit = Schema(
    path: "audit", noun: "audit",
    keys: [
      .optional("path"), .optional("durability"), .optional("when_unavailable"), .optional("integrity"),
      .optional("key"),
    ])

  static let admin = Schema(path: "admin", noun: "admin", keys: [.required("listen")])

  static let limits = Schema(
    path: "limits", noun: "limits",
    keys: [
      .optional("max_connections"), .optional("max_connections_per_caller"), .optional("max_handshakes"),
      .optional("handshake_timeout"), .optional("idle_timeout"), .optional("max_connection_age"),
      .optional("connection_rate_per_source"),
    ])

  static let all = [
    root, listener, socketFile, proxyProtocol, serverTLS, clientCA, staleCRL, host, upstream, healthCheck,
    upstreamTLS, audit, admin, limits,
  ]
}
