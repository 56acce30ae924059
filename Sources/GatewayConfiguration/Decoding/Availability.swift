import AccessPolicy

/// Keys of the contract whose feature this version does not have. They are read and checked like any
/// other, and then refused by name: a gateway that ignored `client_crl` would let revoked clients in.
extension Findings {
  func notAvailable(at mark: YAMLMark, _ what: String, hint: String? = nil) {
    notAvailable(at: mark.location(in: file), what, hint: hint)
  }

  func notAvailable(at location: SourceLocation, _ what: String, hint: String? = nil) {
    error(
      at: location, "not-available", "\(what) is not available in this version of countersign",
      hint: hint ?? "remove it; to ignore it would promise what does not happen")
  }
}
