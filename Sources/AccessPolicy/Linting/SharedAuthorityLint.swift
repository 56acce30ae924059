import Patterns

extension Policy {
  /// Rules that let in whoever comes with a certificate of an authority that issues one certificate to be used
  /// for everybody: Cloudflare's origin pulls. Entries that name the shared issuer are told of when they are
  /// compiled; these are the ones that such a certificate matches because they ask for nothing of its own.
  /// - Parameters:
  ///   - authority: what the authority's own certificate says, a trust anchor of the listener.
  ///   - label: what the fact `trust_label` of its certificates is; nil: they have none.
  ///   - listener: the listener's name.
  package func sharedAuthorityFindings(
    _ authority: Facts, label: String?, listener: String
  ) -> [Diagnostic] {
    guard case .texts(let names)? = authority[.subjectCN], names.contains(CloudflareOriginPull.issuer) else {
      return []
    }
    var facts = CloudflareOriginPull.certificate(issuedBy: authority, listener)
    facts[.trustLabel] = label.map { .text($0) }
    let situation = Situation(facts: facts, at: Timestamp(nanoseconds: 0))
    let open = callers.entries.filter { entry in
      !entry.isSharedByAllOfCloudflare
        && entry.conditions.allSatisfy { CloudflareOriginPull.isOpen($0, situation) }
    }
    let shared = CallerNames(open)
    var findings: [Diagnostic] = []
    for rule in rules where rule.action == .allow && rule.mode == .enforce {
      if let listeners = rule.listeners, !listeners.contains(where: { Glob($0).matches(listener) }) {
        continue
      }
      let selectors = rule.callers?.map { CallerSelector($0) } ?? [.glob(Glob("**"))]
      guard let entry = open.first(where: { _ in selectors.contains { shared.contains($0) } }) else {
        continue
      }
      findings.warning(
        "shared-certificate", at: rule.location,
        "rule '\(rule.name)' allows Cloudflare's shared origin-pull certificate at the listener '\(listener)': "
          + "its authority is in client_ca, and the caller '\(entry.name.written)' asks for nothing that only "
          + "one account has",
        hint:
          "take that authority out of client_ca, or name the caller by the spki_sha256 of a certificate of "
          + "your own")
    }
    return findings
  }
}

/// The certificate that Cloudflare presents for all of its customers alike (Authenticated Origin Pulls,
/// "global"): it proves the network and no account.
enum CloudflareOriginPull {
  static let issuer = "origin-pull.cloudflare.net"

  /// Whether a condition on this field leaves all of the network's customers alike. The server name is chosen by
  /// whoever connects.
  static func provesNoAccount(_ field: Field) -> Bool {
    switch field {
    case .issuerCN, .issuerO, .issuerOU, .issuerC, .issuerL, .issuerST, .issuerDN, .issuerSKI,
      .rootSHA256, .trustLabel, .eku, .keyType, .keyBits, .chainLength, .subjectO, .subjectC, .listener,
      .serverName:
      true
    default: false
    }
  }

  /// What is known of any certificate that the authority has issued.
  static func certificate(issuedBy authority: Facts, _ listener: String) -> Facts {
    let copied: [(Field, Field)] = [
      (.issuerCN, .subjectCN), (.issuerO, .subjectO), (.issuerOU, .subjectOU), (.issuerC, .subjectC),
      (.issuerL, .subjectL), (.issuerST, .subjectST), (.issuerDN, .subjectDN), (.issuerSKI, .ski),
      (.rootSHA256, .sha256),
    ]
    var facts = Facts()
    for (field, source) in copied { facts[field] = authority[source] }
    facts[.listener] = .text(listener)
    return facts
  }

  /// Whether such a certificate may meet the condition.
  static func isOpen(_ condition: CompiledCondition, _ situation: Situation) -> Bool {
    guard provesNoAccount(condition.field) else { return false }
    // Of a label it is known that there is none; of other fields without a value, nothing is.
    let isKnown = condition.field == .trustLabel || situation.facts[condition.field] != nil
    return !isKnown || condition.evaluate(situation, capture: { _ in nil }) != .fails
  }
}
