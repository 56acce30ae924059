package import AccessPolicy

/// When the verdict over a chain holds, if nothing is loaded anew.
package struct ValidityWindow: Hashable, Sendable {
  /// The first second: the greatest notBefore of the chain.
  package var notBefore: Timestamp
  /// The last second: the least notAfter of the chain (RFC 5280 §4.1.2.5 includes it).
  package var notAfter: Timestamp
  /// The last second before a CRL that the verdict rests on is too old for it; nil where none ever is.
  package var staleAfter: Timestamp?

  /// A window.
  package init(notBefore: Timestamp, notAfter: Timestamp, staleAfter: Timestamp? = nil) {
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.staleAfter = staleAfter
  }
}
