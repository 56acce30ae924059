import AccessPolicy
import COpenSSL

/// The subject alternative names of a certificate (RFC 5280 §4.2.1.6), by kind, in its order.
///
/// Each kind is kept apart from the others: an e-mail address that looks like a host name is no host name
/// (CVE-2022-21656). Kinds that no policy can ask for are read past.
struct AlternativeNames {
  private(set) var uris: [String] = []
  private(set) var dnsNames: [String] = []
  private(set) var emails: [String] = []
  private(set) var addresses: [IPAddress] = []
  private(set) var userPrincipalNames: [String] = []
  private(set) var unreadable: [UnreadableName] = []

  /// Microsoft's user principal name: an otherName that holds a UTF8String.
  static let userPrincipalName = "1.3.6.1.4.1.311.20.2.3"

  init(_ certificate: OpaquePointer) {
    let first = unsafe X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1)
    guard first >= 0 else { return }
    guard unsafe X509_get_ext_by_NID(certificate, NID_subject_alt_name, first) < 0 else {
      refuse("san", "the extension stands there twice")
      return
    }
    let bytes = unsafe CertificateBytes.copy(X509_EXTENSION_get_data(X509_get_ext(certificate, first)))
    guard let names = unsafe Self.parse(bytes ?? []) else {
      refuse("san", "the extension is not a list of names")
      return
    }
    defer { unsafe GENERAL_NAMES_free(names) }
    let count = unsafe shim_sk_GENERAL_NAME_num(names)
    for index in 0..<max(0, count) {
      if let name = unsafe shim_sk_GENERAL_NAME_value(names, index) { unsafe add(name) }
    }
  }

  /// X509_get_ext_d2i(3) would take bytes behind the list in silence.
  private static func parse(_ der: [UInt8]) -> OpaquePointer? {
    unsafe der.withUnsafeBufferPointer { buffer in
      var cursor = buffer.baseAddress
      guard let start = buffer.baseAddress, let names = unsafe d2i_GENERAL_NAMES(nil, &cursor, buffer.count)
      else { return nil }
      guard unsafe cursor == start + buffer.count, unsafe shim_sk_GENERAL_NAME_num(names) > 0 else {
        unsafe GENERAL_NAMES_free(names)
        return nil
      }
      return unsafe names
    }
  }

  private mutating func add(_ name: UnsafeMutablePointer<GENERAL_NAME>) {
    var kind: Int32 = -1
    let value = unsafe GENERAL_NAME_get0_value(name, &kind)
    let string = unsafe UnsafePointer(value?.assumingMemoryBound(to: ASN1_STRING.self))
    switch kind {
    case GEN_URI: if let text = unsafe ascii(string, "san_uri") { uris.append(text) }
    case GEN_DNS: if let text = unsafe ascii(string, "san_dns") { dnsNames.append(text) }
    case GEN_EMAIL: if let text = unsafe ascii(string, "san_email") { emails.append(text) }
    case GEN_IPADD: addAddress(unsafe CertificateBytes.copy(string) ?? [])
    case GEN_OTHERNAME: unsafe addOther(name)
    default: break
    }
  }

  /// The three are IA5String under an implicit tag, so the type is not in the encoding (RFC 5280 §4.2.1.6).
  private mutating func ascii(_ string: UnsafePointer<ASN1_STRING>?, _ place: String) -> String? {
    switch unsafe NameText(type: V_ASN1_IA5STRING, bytes: CertificateBytes.copy(string) ?? []) {
    case .text(let text): return text
    case .unreadable(let problem):
      refuse(place, problem)
      return nil
    }
  }

  private mutating func addAddress(_ bytes: [UInt8]) {
    switch bytes.count {
    case 4: addresses.append(IPAddress(v4: bytes.reduce(0) { $0 << 8 | UInt32($1) }))
    case 16: addresses.append(IPAddress(v6: bytes.reduce(0) { $0 << 8 | UInt128($1) }))
    default: refuse("san_ip", "is \(bytes.count) bytes long, an address has 4 or 16")
    }
  }

  private mutating func addOther(_ name: UnsafeMutablePointer<GENERAL_NAME>) {
    var type: OpaquePointer?
    var value: UnsafeMutablePointer<ASN1_TYPE>?
    guard unsafe GENERAL_NAME_get0_otherName(name, &type, &value) == 1,
      unsafe CertificateBytes.dotted(type) == Self.userPrincipalName
    else { return }
    guard let string = unsafe shim_ASN1_TYPE_utf8string(value) else {
      return refuse("san_upn", "is not a UTF8String")
    }
    switch unsafe NameText(type: V_ASN1_UTF8STRING, bytes: CertificateBytes.copy(string) ?? []) {
    case .text(let text): userPrincipalNames.append(text)
    case .unreadable(let problem): refuse("san_upn", problem)
    }
  }

  private mutating func refuse(_ place: String, _ problem: String) {
    unreadable.append(UnreadableName(place: place, problem: problem))
  }
}
