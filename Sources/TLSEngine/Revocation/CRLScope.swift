import COpenSSL

/// Which of its issuer's certificates a CRL speaks of (RFC 5280 §5.2.5, issuingDistributionPoint).
@safe
final class CRLScope: @unchecked Sendable {
  // Sendable: decoded once and never changed afterwards.
  /// `ISSUING_DIST_POINT`; owned. nil: every certificate of its issuer.
  private let point: UnsafeMutablePointer<ISSUING_DIST_POINT>?
  private let onlyUsers: Bool
  private let onlyAuthorities: Bool
  /// The extension's DER: lists with the same have the same scope, and the newest of them holds.
  let identity: [UInt8]

  /// - Parameter crl: `X509_CRL`; lent.
  init(_ crl: OpaquePointer) throws(CRLProblem) {
    var critical: Int32 = 0
    ERR_clear_error()
    let decoded = unsafe X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, nil)
    ERR_clear_error()
    unsafe point = decoded?.assumingMemoryBound(to: ISSUING_DIST_POINT.self)
    guard let scope = unsafe point else {
      // X509V3_get_d2i(3): -1 where the extension is not there.
      guard critical == -1 else { throw .malformed("its issuingDistributionPoint") }
      (onlyUsers, onlyAuthorities, identity) = (false, false, [])
      return
    }
    unsafe onlyUsers = scope.pointee.onlyuser > 0
    unsafe onlyAuthorities = scope.pointee.onlyCA > 0
    identity = unsafe CertificateBytes.encoded { unsafe i2d_ISSUING_DIST_POINT(scope, $0) } ?? []
    if let problem = unsafe Self.problem(of: scope, crl) {
      // A class that throws before it is whole is not deinitialised, but one that is, is.
      throw problem
    }
  }

  deinit { unsafe ISSUING_DIST_POINT_free(point) }

  private static func problem(
    of scope: UnsafeMutablePointer<ISSUING_DIST_POINT>, _ crl: OpaquePointer
  ) -> CRLProblem? {
    if unsafe scope.pointee.indirectCRL > 0 { return .indirect }
    if unsafe scope.pointee.onlyattr > 0 {
      return CRLProblem(
        "crl-scope", "speaks of attribute certificates alone, which no client shows", hint: "take it out")
    }
    if unsafe scope.pointee.onlysomereasons != nil {
      return CRLProblem(
        "crl-scope", "is not complete: it names certificates that were revoked for some reasons only",
        hint: "use the CA's CRL for all reasons")
    }
    if unsafe scope.pointee.onlyuser > 0 && scope.pointee.onlyCA > 0 {
      return CRLProblem("crl-scope", "speaks of users alone and of CAs alone: of no certificate at all")
    }
    guard let name = unsafe scope.pointee.distpoint else { return nil }
    let isNamed = unsafe DIST_POINT_set_dpname(name, X509_CRL_get_issuer(crl)) == 1
    return isNamed ? nil : .malformed("the name of its distribution point")
  }

  /// - Parameter certificate: `X509` of the same issuer; lent.
  func covers(_ certificate: OpaquePointer) -> Bool {
    let isAuthority = unsafe X509_get_extension_flags(certificate) & UInt32(EXFLAG_CA) != 0
    if isAuthority ? onlyUsers : onlyAuthorities { return false }
    guard let name = unsafe point?.pointee.distpoint else { return true }
    return unsafe DistributionPoints.name(name, in: certificate)
  }
}

/// The distribution points that a certificate names (RFC 5280 §4.2.1.13).
enum DistributionPoints {
  /// - Parameter name: that of a CRL's issuing distribution point; lent.
  /// - Returns: whether the certificate says that this part of the CRL speaks of it for all reasons.
  static func name(_ name: UnsafeMutablePointer<DIST_POINT_NAME>, in certificate: OpaquePointer) -> Bool {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let found = unsafe X509_get_ext_d2i(certificate, NID_crl_distribution_points, nil, nil) else {
      return false
    }
    let points = OpaquePointer(found)
    defer { unsafe CRL_DIST_POINTS_free(points) }
    for index in 0..<max(0, unsafe shim_sk_DIST_POINT_num(points)) {
      // A point with a cRLIssuer is that of an indirect CRL, one with reasons that of an incomplete one.
      guard let point = unsafe shim_sk_DIST_POINT_value(points, index), unsafe point.pointee.CRLissuer == nil,
        unsafe point.pointee.reasons == nil, let other = unsafe point.pointee.distpoint,
        unsafe DIST_POINT_set_dpname(other, X509_get_issuer_name(certificate)) == 1
      else { continue }
      if unsafe matches(name, other) { return true }
    }
    return false
  }

  /// RFC 5280 §6.3.3 (b) (2) (i): one of the names of either stands in the other.
  private static func matches(
    _ left: UnsafeMutablePointer<DIST_POINT_NAME>, _ right: UnsafeMutablePointer<DIST_POINT_NAME>
  ) -> Bool {
    switch unsafe (left.pointee.dpname, right.pointee.dpname) {
    case (let left?, let right?): return unsafe X509_NAME_cmp(left, right) == 0
    case (let name?, nil): return unsafe holds(shim_DIST_POINT_NAME_fullname(right), directory: name)
    case (nil, let name?): return unsafe holds(shim_DIST_POINT_NAME_fullname(left), directory: name)
    case (nil, nil):
      let others = unsafe shim_DIST_POINT_NAME_fullname(right)
      return unsafe any(shim_DIST_POINT_NAME_fullname(left)) { one in
        unsafe any(others) { unsafe GENERAL_NAME_cmp(one, $0) == 0 }
      }
    }
  }

  private static func holds(_ names: OpaquePointer?, directory name: OpaquePointer) -> Bool {
    unsafe any(names) {
      var type: Int32 = 0
      let value = unsafe GENERAL_NAME_get0_value($0, &type)
      guard type == GEN_DIRNAME, let value = unsafe value else { return false }
      return unsafe X509_NAME_cmp(OpaquePointer(value), name) == 0
    }
  }

  private static func any(
    _ names: OpaquePointer?, _ test: (UnsafeMutablePointer<GENERAL_NAME>) -> Bool
  ) -> Bool {
    guard let names = unsafe names else { return false }
    return (0..<max(0, unsafe shim_sk_GENERAL_NAME_num(names))).contains { index in
      unsafe shim_sk_GENERAL_NAME_value(names, index).map { unsafe test($0) } ?? false
    }
  }
}
