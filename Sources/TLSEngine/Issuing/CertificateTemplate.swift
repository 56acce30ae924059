package import AccessPolicy

/// One attribute of a name that is to be issued; any bytes under any string type, well-formed or not.
package struct NameAttribute: Hashable, Sendable {
  /// Universal tags of X.680's string types.
  package enum StringType: Int32, Sendable {
    case utf8 = 12, numeric = 18, printable = 19, teletex = 20, ia5 = 22, visible = 26, universal = 28, bmp =
      30
    case bitString = 3
  }

  /// Dotted decimals.
  package var type: String
  /// Under which type the bytes are written.
  package var stringType: StringType
  /// Written as they are.
  package var bytes: [UInt8]
  /// Joins the attribute to the relative distinguished name before it.
  package var sameSet: Bool

  /// - Parameter type: dotted decimals.
  package init(_ type: String, _ stringType: StringType, _ bytes: [UInt8], sameSet: Bool = false) {
    self.type = type
    self.stringType = stringType
    self.bytes = bytes
    self.sameSet = sameSet
  }

  /// CN, a UTF8String.
  package static func commonName(_ text: String) -> NameAttribute {
    NameAttribute(AttributeTypes.commonName, .utf8, Array(text.utf8))
  }

  /// O, a UTF8String.
  package static func organization(_ text: String) -> NameAttribute {
    NameAttribute(AttributeTypes.organization, .utf8, Array(text.utf8))
  }

  /// OU, a UTF8String.
  package static func organizationalUnit(_ text: String) -> NameAttribute {
    NameAttribute(AttributeTypes.organizationalUnit, .utf8, Array(text.utf8))
  }
}

/// A subject alternative name that is to be issued; any bytes, well-formed or not.
package enum IssuedName: Hashable, Sendable {
  case uri([UInt8]), dns([UInt8]), email([UInt8]), ip([UInt8])
  /// An otherName: the type in dotted decimals, and the DER of its value.
  case other(String, [UInt8])
  /// The DER of a whole GeneralName.
  case raw([UInt8])

  /// A URI.
  package static func uri(_ text: String) -> IssuedName { .uri(Array(text.utf8)) }
  /// A host name.
  package static func dns(_ text: String) -> IssuedName { .dns(Array(text.utf8)) }
  /// An e-mail address.
  package static func email(_ text: String) -> IssuedName { .email(Array(text.utf8)) }

  /// Microsoft's user principal name.
  package static func userPrincipal(_ text: String) -> IssuedName {
    .other(AlternativeNames.userPrincipalName, DER.utf8(text))
  }

  /// As RFC 5280 §4.2.1.6 encodes it.
  package var der: [UInt8] {
    switch self {
    case .email(let bytes): DER.tagged(1, bytes)
    case .dns(let bytes): DER.tagged(2, bytes)
    case .uri(let bytes): DER.tagged(6, bytes)
    case .ip(let bytes): DER.tagged(7, bytes)
    case .other(let type, let value):
      DER.tagged(0, DER.identifier(type) + DER.tagged(0, value, constructed: true), constructed: true)
    case .raw(let bytes): bytes
    }
  }
}

/// An extension that is to be issued.
package struct IssuedExtension: Hashable, Sendable {
  /// Dotted decimals.
  package var type: String
  /// Whether a verifier that does not know it must refuse.
  package var critical: Bool
  /// What goes into the OCTET STRING: the DER of the extension, well-formed or not.
  package var value: [UInt8]

  /// - Parameter type: dotted decimals.
  package init(_ type: String, critical: Bool = false, _ value: [UInt8]) {
    self.type = type
    self.critical = critical
    self.value = value
  }
}

/// The bits of keyUsage (RFC 5280 §4.2.1.3).
package struct KeyUsage: OptionSet, Sendable {
  /// The bits, the first one highest.
  package let rawValue: UInt16
  /// - Parameter rawValue: the bits, the first one highest.
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// digitalSignature (0).
  package static let digitalSignature = KeyUsage(rawValue: 1 << 15)
  /// keyEncipherment (2).
  package static let keyEncipherment = KeyUsage(rawValue: 1 << 13)
  /// keyAgreement (4).
  package static let keyAgreement = KeyUsage(rawValue: 1 << 11)
  /// keyCertSign (5).
  package static let certificateSigning = KeyUsage(rawValue: 1 << 10)
  /// cRLSign (6).
  package static let crlSigning = KeyUsage(rawValue: 1 << 9)
}

/// What a certificate that is to be issued says.
package struct CertificateTemplate: Sendable {
  /// The kind of key that is made.
  package enum KeyType: Hashable, Sendable {
    case p256, p384, p521, ed25519
    /// A size in bits.
    case rsa(UInt32)
  }

  /// The subject, in order.
  package var subject: [NameAttribute]
  /// subjectAltName; empty leaves the extension out.
  package var alternativeNames: [IssuedName] = []
  /// The key that is made for it.
  package var keyType: KeyType = .p256
  /// DER of a SubjectPublicKeyInfo to certify instead of the new key's, for keys too costly to make.
  package var publicKey: [UInt8]?
  /// The first second in which it is valid.
  package var notBefore: Timestamp
  /// Seconds; this one is still valid.
  package var notAfter: Timestamp
  /// basicConstraints: absent, or whether it is a CA and how many intermediates may follow.
  package var isCA: Bool?
  /// pathLenConstraint; nil leaves it out.
  package var pathLength: UInt8?
  /// nil leaves the extension out.
  package var keyUsage: KeyUsage?
  /// Dotted decimals; nil leaves the extension out.
  package var extendedKeyUsage: [String]?
  /// Written as they are, behind the others.
  package var extensions: [IssuedExtension] = []
  /// The octets of the serial number, a positive one; empty draws 16 random ones.
  package var serial: [UInt8] = []
  /// Against RFC 5280 §4.1.2.2, as some authorities are.
  package var serialIsNegative = false
  /// Which digest signs it; Ed25519 has its own.
  package var digest: String = "SHA256"
  /// Leaves out subjectKeyIdentifier and authorityKeyIdentifier.
  package var omitsKeyIdentifiers = false

  /// A certificate without extensions but key identifiers.
  package init(subject: [NameAttribute], notBefore: Timestamp, notAfter: Timestamp) {
    self.subject = subject
    self.notBefore = notBefore
    self.notAfter = notAfter
  }

  /// id-kp-clientAuth.
  package static let clientAuth = "1.3.6.1.5.5.7.3.2"
  /// id-kp-serverAuth.
  package static let serverAuth = "1.3.6.1.5.5.7.3.1"
  /// anyExtendedKeyUsage.
  package static let anyExtendedKeyUsage = "2.5.29.37.0"

  /// A certification authority that may sign anything.
  package static func authority(_ name: String, notBefore: Timestamp, notAfter: Timestamp) -> Self {
    var template = Self(subject: [.commonName(name)], notBefore: notBefore, notAfter: notAfter)
    template.isCA = true
    template.keyUsage = [.certificateSigning, .crlSigning]
    return template
  }

  /// A client's certificate with clientAuth.
  package static func client(_ name: String, notBefore: Timestamp, notAfter: Timestamp) -> Self {
    var template = Self(subject: [.commonName(name)], notBefore: notBefore, notAfter: notAfter)
    template.isCA = false
    template.keyUsage = [.digitalSignature]
    template.extendedKeyUsage = [clientAuth]
    return template
  }

  /// A server's certificate with serverAuth for one host name.
  package static func server(_ host: String, notBefore: Timestamp, notAfter: Timestamp) -> Self {
    var template = Self(subject: [.commonName(host)], notBefore: notBefore, notAfter: notAfter)
    template.isCA = false
    template.keyUsage = [.digitalSignature]
    template.extendedKeyUsage = [serverAuth]
    template.alternativeNames = [.dns(host)]
    return template
  }
}
