/// Why a verdict came out as it did. The raw values are `event.reason` in the audit log; the set is closed.
package enum VerdictReason: String, Sendable, CaseIterable {
  /// A rule decided; it is named beside the reason.
  case rule
  /// No rule allowed it.
  case `default`
  case callerUnmapped = "caller_unmapped"
  case callerAmbiguous = "caller_ambiguous"
  case nameUnreadable = "name_unreadable"
  /// A regular expression met its match, depth or heap limit.
  case patternLimit = "pattern_limit"
}

/// Why a connection ended before it could be judged. Raw values are `event.reason`; the set is closed.
package enum HandshakeReason: String, Sendable, CaseIterable {
  case certificateMissing = "certificate_missing"
  case certificateUntrusted = "certificate_untrusted"
  case certificateExpired = "certificate_expired"
  case certificateNotYetValid = "certificate_not_yet_valid"
  case certificateRevoked = "certificate_revoked"
  case certificatePurpose = "certificate_purpose"
  case certificateMalformed = "certificate_malformed"
  case certificateInvalid = "certificate_invalid"
  case chainTooLong = "chain_too_long"
  case keyTooWeak = "key_too_weak"
  case crlStale = "crl_stale"
  case crlMissing = "crl_missing"
  case serverNameUnknown = "server_name_unknown"
  case tlsProtocol = "tls_protocol"
  case negotiation
  case proxyHeader = "proxy_header"
  case timeout
  case clientClosed = "client_closed"
}

/// Why a relayed connection ended. Raw values are `event.reason`; the set is closed.
package enum CloseReason: String, Sendable, CaseIterable {
  case clientClosed = "client_closed"
  case upstreamClosed = "upstream_closed"
  case clientReset = "client_reset"
  case upstreamReset = "upstream_reset"
  case idleTimeout = "idle_timeout"
  case maxAge = "max_age"
  case drain
  /// An invariant of ours did not hold; the connection paid for it, not the process.
  case `internal`
}

/// Why a live connection lost its permission. Raw values are `event.reason`; the set is closed.
package enum RevocationReason: String, Sendable, CaseIterable {
  case policyChanged = "policy_changed"
  case trustChanged = "trust_changed"
  case crlChanged = "crl_changed"
  case certificateExpired = "certificate_expired"
  case ruleExpired = "rule_expired"
  case crlStale = "crl_stale"
}

/// Why an allowed connection did not get its upstream, or a connection was not taken at all.
/// Raw values are `event.reason`; the set is closed.
package enum FailureReason: String, Sendable, CaseIterable {
  case upstreamUnreachable = "upstream_unreachable"
  case upstreamTimeout = "upstream_timeout"
  case upstreamTLS = "upstream_tls"
  case limit
  case auditUnavailable = "audit_unavailable"
  case `internal`
}
