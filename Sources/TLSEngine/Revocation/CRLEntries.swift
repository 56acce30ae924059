import COpenSSL

/// Decodes the entries of a CRL one after the other, and keeps their serial numbers alone: whatever the
/// reason says, hold and removeFromCRL too, a certificate that is listed is revoked.
enum CRLEntries {
  static func serials(_ der: [UInt8], in range: Range<Int>) throws(CRLProblem) -> RevokedSerials {
    var serials = RevokedSerials()
    var problem: CRLProblem?
    ERR_clear_error()
    unsafe der.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      var cursor: UnsafePointer<UInt8>? = unsafe start + range.lowerBound
      let end = unsafe start + range.upperBound
      while problem == nil, let current = unsafe cursor, unsafe current < end {
        guard let entry = unsafe d2i_X509_REVOKED(nil, &cursor, end - current) else {
          problem = .malformed("entry \(serials.count + 1) is none")
          break
        }
        defer { unsafe X509_REVOKED_free(entry) }
        guard let number = unsafe X509_REVOKED_get0_serialNumber(entry) else {
          problem = .malformed("entry \(serials.count + 1) has no serial number")
          break
        }
        unsafe problem = refusal(of: entry)
        unsafe serials.append(SerialNumber(number))
      }
    }
    ERR_clear_error()
    if let problem { throw problem }
    serials.sort()
    return serials
  }

  /// RFC 5280 §5.3: whoever meets a critical extension that it does not know must not use the list.
  private static func refusal(of entry: OpaquePointer) -> CRLProblem? {
    for index in 0..<max(0, unsafe X509_REVOKED_get_ext_count(entry)) {
      guard let item = unsafe X509_REVOKED_get_ext(entry, index) else { continue }
      switch unsafe OBJ_obj2nid(X509_EXTENSION_get_object(item)) {
      case NID_certificate_issuer: return .indirect
      case NID_crl_reason, NID_invalidity_date, NID_hold_instruction_code: continue
      default:
        if unsafe X509_EXTENSION_get_critical(item) == 0 { continue }
        let type = unsafe CertificateBytes.dotted(X509_EXTENSION_get_object(item)) ?? "unknown"
        return .unknownExtension(type, where: "an entry")
      }
    }
    return nil
  }
}

extension CRLProblem {
  static var indirect: CRLProblem {
    CRLProblem(
      "crl-indirect", "is indirect: it speaks for certificates of other CAs (RFC 5280 §5.2.5)",
      hint: "use the complete CRLs that the CAs sign themselves")
  }

  static func unknownExtension(_ type: String, where place: String) -> CRLProblem {
    CRLProblem(
      "crl-extension",
      "has a critical extension (\(type)) in \(place) that is not known here, and which may "
        + "change what it means (RFC 5280 §5.2)")
  }
}
