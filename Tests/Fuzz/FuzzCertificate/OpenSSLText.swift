import AccessPolicy
import COpenSSL
import FuzzSupport

/// The same certificate as libcrypto itself prints it for `openssl x509`: what we copied out must say the same.
@safe
struct OpenSSLText {
  /// `X509`; owned by ``compare(_:with:)``.
  private let certificate: OpaquePointer

  /// - Parameter der: what `facts` were made of.
  static func compare(_ der: [UInt8], with facts: Facts) {
    let parsed = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
      var cursor = buffer.baseAddress
      return unsafe d2i_X509(nil, &cursor, buffer.count)
    }
    guard let parsed = unsafe parsed else { fatalError("broken promise: parsed once, and not again") }
    defer { unsafe X509_free(parsed) }
    let text = unsafe OpenSSLText(certificate: parsed)
    text.compareSerial(facts)
    text.compareTimes(facts)
    text.compareKeyIdentifier(facts)
    text.comparePurposes(facts)
    // Where a name cannot be read exactly, it is refused, and printed by each as it likes.
    guard facts.unreadableNames.isEmpty else { return }
    text.compareSubject(facts)
    text.compareAlternativeNames(facts)
  }

  private func compareSerial(_ facts: Facts) {
    guard let number = unsafe ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nil) else { return }
    defer { unsafe BN_free(number) }
    let printed = unsafe owned(BN_bn2hex(number)).lowercased()
    let ours = facts[.serial]?.texts.first ?? ""
    func bare(_ text: String) -> Substring { text.drop { $0 == "-" }.drop { $0 == "0" } }
    Invariant.hold(bare(ours) == bare(printed), "serial \(ours), OpenSSL prints \(printed)")
    let isZero = bare(printed).isEmpty
    Invariant.hold(
      isZero || ours.hasPrefix("-") == printed.hasPrefix("-"),
      "the sign of \(ours), OpenSSL prints \(printed)")
  }

  private func compareTimes(_ facts: Facts) {
    unsafe compare(facts, .notBefore, X509_get0_notBefore(certificate))
    unsafe compare(facts, .notAfter, X509_get0_notAfter(certificate))
  }

  private func compare(_ facts: Facts, _ field: Field, _ time: UnsafePointer<ASN1_TIME>?) {
    guard case .instant(let instant) = facts[field], instant != .distantFuture,
      instant.nanoseconds > .min + 1_000_000_000
    else { return }
    let order = unsafe ASN1_TIME_cmp_time_t(time, Int(instant.seconds))
    Invariant.hold(order == 0, "\(field.name) is \(instant.rfc3339), OpenSSL has another time")
  }

  private func compareKeyIdentifier(_ facts: Facts) {
    guard let printed = extensionText(NID_subject_key_identifier), let ours = facts[.ski]?.texts.first
    else { return }
    let digits = printed.filter(\.isHexDigit).lowercased()
    Invariant.hold(ours == digits, "ski \(ours), OpenSSL prints \(printed)")
  }

  private func comparePurposes(_ facts: Facts) {
    guard let ours = facts[.eku]?.texts,
      unsafe X509_get_extension_flags(certificate) & UInt32(EXFLAG_INVALID) == 0
    else { return }
    let bits = unsafe X509_get_extended_key_usage(certificate)
    let names: [(Int32, String)] = [
      (XKU_SSL_SERVER, "serverAuth"), (XKU_SSL_CLIENT, "clientAuth"), (XKU_CODE_SIGN, "codeSigning"),
      (XKU_SMIME, "emailProtection"), (XKU_TIMESTAMP, "timeStamping"), (XKU_OCSP_SIGN, "OCSPSigning"),
    ]
    for (bit, name) in names {
      Invariant.hold(
        ours.contains(name) == (bits & UInt32(bit) != 0), "eku \(ours), of which OpenSSL has bits \(bits)")
    }
  }

  private func compareSubject(_ facts: Facts) {
    let fields: [(Field, Int32)] = [
      (.subjectCN, NID_commonName), (.subjectO, NID_organizationName),
      (.subjectOU, NID_organizationalUnitName),
      (.subjectC, NID_countryName), (.subjectL, NID_localityName), (.subjectST, NID_stateOrProvinceName),
    ]
    let name = unsafe X509_get_subject_name(certificate)
    for (field, nid) in fields {
      var printed: [String] = []
      var index = unsafe X509_NAME_get_index_by_NID(name, nid, -1)
      while index >= 0 {
        let value = unsafe X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index))
        var utf8: UnsafeMutablePointer<UInt8>?
        let count = unsafe ASN1_STRING_to_UTF8(&utf8, value)
        if count >= 0 {
          let bytes = unsafe UnsafeBufferPointer(start: utf8, count: Int(count))
          printed.append(unsafe String(decoding: bytes, as: UTF8.self))
          unsafe CRYPTO_free(utf8, nil, 0)
        }
        index = unsafe X509_NAME_get_index_by_NID(name, nid, index)
      }
      let ours = facts[field]?.texts ?? []
      Invariant.hold(
        ours.count == printed.count && zip(ours, printed).allSatisfy { sameBytes($0, $1) },
        "\(field.name) is \(ours), OpenSSL has \(printed)")
    }
  }

  private func compareAlternativeNames(_ facts: Facts) {
    let ours: [(Field, String)] = [(.sanDNS, "DNS:"), (.sanURI, "URI:"), (.sanEmail, "email:")]
    let values = ours.flatMap { facts[$0.0]?.texts ?? [] }
    // The text has no quotes: a value with a comma cannot be told from two.
    guard !values.contains(where: { $0.contains(",") || $0.contains("\n") }),
      let printed = extensionText(NID_subject_alt_name)
    else { return }
    let tokens = printed.split(separator: ", ", omittingEmptySubsequences: false).map { String($0) }
    // Names of other kinds may hold anything, a comma too.
    guard tokens.count == alternativeNameCount() else { return }
    for (field, opening) in ours {
      let theirs = tokens.filter { $0.hasPrefix(opening) }.map { String($0.dropFirst(opening.count)) }
      let mine = facts[field]?.texts ?? []
      Invariant.hold(
        mine.count == theirs.count && zip(mine, theirs).allSatisfy { sameBytes($0, $1) },
        "\(field.name) is \(mine), OpenSSL prints \(printed)")
    }
    let addresses = facts[.sanIP]?.texts.count ?? 0
    let theirs = tokens.count { $0.hasPrefix("IP Address:") }
    Invariant.hold(addresses == theirs, "\(addresses) addresses, OpenSSL prints \(printed)")
  }

  private func alternativeNameCount() -> Int {
    guard let found = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return 0 }
    let names = OpaquePointer(found)
    defer { unsafe GENERAL_NAMES_free(names) }
    return unsafe Int(shim_sk_GENERAL_NAME_num(names))
  }

  /// An extension as `openssl x509 -text` prints it; nil where there is none, or it cannot be decoded.
  private func extensionText(_ nid: Int32) -> String? {
    let index = unsafe X509_get_ext_by_NID(certificate, nid, -1)
    guard index >= 0, let bio = unsafe BIO_new(BIO_s_mem()) else { return nil }
    defer { unsafe BIO_free(bio) }
    guard unsafe X509V3_EXT_print(bio, X509_get_ext(certificate, index), 0, 0) == 1 else {
      ERR_clear_error()
      return nil
    }
    var start: UnsafeMutablePointer<CChar>?
    let count = unsafe shim_BIO_get_mem_data(bio, &start)
    let bytes = unsafe UnsafeBufferPointer(start: start, count: count).map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func owned(_ text: UnsafeMutablePointer<CChar>?) -> String {
    defer { unsafe CRYPTO_free(text, nil, 0) }
    return unsafe text.map { unsafe String(cString: $0) } ?? ""
  }
}
