package import AccessPolicy

/// Which CRLs a listener asks, and what it asks of them.
package struct Revocation: Sendable {
  /// What holds past a CRL's nextUpdate.
  package enum Staleness: Sendable, Hashable {
    case deny, allow
    case allowFor(Duration)
  }

  package var files: [Located<String>]
  package var stale: Staleness
  /// Whether a CA without a CRL fails the chain.
  package var isRequired: Bool

  package init(files: [Located<String>] = [], stale: Staleness = .deny, isRequired: Bool = false) {
    self.files = files
    self.stale = stale
    self.isRequired = isRequired
  }
}
