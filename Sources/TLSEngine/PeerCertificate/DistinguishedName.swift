import COpenSSL

/// The attributes of an X.501 name, in the order of the certificate.
struct DistinguishedName {
  struct Attribute {
    /// Dotted decimals: attributes are known by their identifier alone, never by a printed name.
    var type: String
    /// The universal tag of the value.
    var tag: Int32
    var value: NameText
    /// The value's DER, tag and length included.
    var der: [UInt8]
    /// Attributes of one relative distinguished name share a number.
    var set: Int32
  }

  let attributes: [Attribute]

  /// - Parameter name: `X509_NAME`; lent.
  init(_ name: OpaquePointer?) {
    let count = unsafe name == nil ? 0 : X509_NAME_entry_count(name)
    attributes = (0..<max(0, count)).compactMap { index in
      guard let entry = unsafe X509_NAME_get_entry(name, index),
        let value = unsafe X509_NAME_ENTRY_get_data(entry),
        let type = unsafe CertificateBytes.dotted(X509_NAME_ENTRY_get_object(entry))
      else { return nil }
      let tag = unsafe ASN1_STRING_type(value)
      let bytes = unsafe CertificateBytes.copy(value) ?? []
      return unsafe Attribute(
        type: type, tag: tag, value: NameText(type: tag, bytes: bytes),
        der: CertificateBytes.encoded { unsafe i2d_ASN1_PRINTABLE(value, $0) } ?? [],
        set: X509_NAME_ENTRY_set(entry))
    }
  }

  /// Every readable value of one attribute type, in the order of the certificate.
  func values(_ type: String) -> [String] {
    attributes.compactMap { attribute in
      guard attribute.type == type, case .text(let text) = attribute.value else { return nil }
      return text
    }
  }

  /// What in the name cannot be read exactly. A value that is not meant as text, of an attribute that we do
  /// not show as text, is no problem: it is printed as its exact DER.
  var problems: [String] {
    attributes.compactMap { attribute in
      guard case .unreadable(let problem) = attribute.value,
        NameText.isString(attribute.tag) || AttributeTypes.shownAsText.contains(attribute.type)
      else { return nil }
      return "\(AttributeTypes.shortNames[attribute.type] ?? attribute.type) \(problem)"
    }
  }

  /// RFC 4514 §2: the last relative name first. One name has one text: types that its table does not list are
  /// dotted and their values `#hex`, as are values that cannot be read.
  var text: String {
    var sets: [[Attribute]] = []
    for attribute in attributes {
      if let last = sets.last?.last, last.set == attribute.set {
        sets[sets.count - 1].append(attribute)
      } else {
        sets.append([attribute])
      }
    }
    return sets.reversed().map { $0.map(Self.text).joined(separator: "+") }.joined(separator: ",")
  }

  private static func text(_ attribute: Attribute) -> String {
    guard let name = AttributeTypes.shortNames[attribute.type], case .text(let value) = attribute.value else {
      let name = AttributeTypes.shortNames[attribute.type] ?? attribute.type
      return name + "=#" + hexadecimal(attribute.der)
    }
    return name + "=" + escaped(value)
  }

  /// RFC 4514 §2.4.
  private static func escaped(_ value: String) -> String {
    let scalars = Array(value.unicodeScalars)
    var text = String.UnicodeScalarView()
    for (index, scalar) in scalars.enumerated() {
      let special: Bool =
        switch scalar {
        case "\"", "+", ",", ";", "<", ">", "\\": true
        case " ": index == 0 || index == scalars.count - 1
        case "#": index == 0
        default: false
        }
      if special { text.append("\\") }
      text.append(scalar)
    }
    return String(text)
  }
}

/// Attribute types that we know, by object identifier.
enum AttributeTypes {
  static let commonName = "2.5.4.3"
  static let organization = "2.5.4.10"
  static let organizationalUnit = "2.5.4.11"
  static let country = "2.5.4.6"
  static let locality = "2.5.4.7"
  static let state = "2.5.4.8"
  static let serialNumber = "2.5.4.5"
  static let domainComponent = "0.9.2342.19200300.100.1.25"
  static let userID = "0.9.2342.19200300.100.1.1"

  /// The table of RFC 4514 §3; no other names, so that a printed name is the same everywhere.
  static let shortNames: [String: String] = [
    commonName: "CN", locality: "L", state: "ST", organization: "O", organizationalUnit: "OU", country: "C",
    "2.5.4.9": "STREET", domainComponent: "DC", userID: "UID",
  ]

  static let shownAsText: Set<String> = Set(shortNames.keys).union([serialNumber])
}
