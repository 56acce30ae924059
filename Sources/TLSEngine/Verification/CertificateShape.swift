import COpenSSL

/// How much there is of a certificate, and of which kind, told from its DER without decoding anything.
struct CertificateShape {
  /// Tag-length-values, those within extensions too. Each name, attribute, purpose, policy, constraint or
  /// distribution point is at least one, so their number bounds what parsing and copying them costs.
  private(set) var elements = 0
  /// Names of subjectAltName and attributes of the subject, which constraints are compared with.
  private(set) var names = 1
  /// Subtrees of nameConstraints.
  private(set) var constraints = 0
  /// certificatePolicies and policyMappings.
  private(set) var policies = 0
  /// The elements of subjectPublicKeyInfo.algorithm.
  private(set) var keyAlgorithm: [DERElement] = []

  /// A certificate has a nesting of about ten; whoever nests deeper wants a reader to fall over.
  static let deepest = 32

  private let der: [UInt8]

  /// - Returns: nil where the DER does not lead to a public key as RFC 5280 §4.1 says.
  init?(_ der: [UInt8], most: Int) {
    self.der = der
    guard let certificate = DERElement(der, in: 0..<der.count), certificate.isSequence,
      certificate.whole.upperBound == der.count,
      let body = DERElement(der, in: certificate.content), body.isSequence,
      // version [0] where it is not 1, serialNumber, signature, issuer, validity, subject, the key, more.
      let fields = DERElement.all(der, in: body.content, most: most)
    else { return nil }
    let first = fields.first?.isUniversal == true ? 0 : 1
    guard fields.count > first + 5 else { return nil }
    let key = fields[first + 5]
    guard key.isSequence, let algorithm = DERElement(der, in: key.content), algorithm.isSequence,
      let parts = DERElement.all(der, in: algorithm.content, most: most)
    else { return nil }
    keyAlgorithm = parts
    names += count(fields[first + 4].content, most)
    elements = size(of: certificate.content, depth: 0, most)
    // extensions [3]
    if let last = fields.dropFirst(first + 6).last, !last.isUniversal, last.tag == 3 {
      readExtensions(last, most)
    }
  }

  private mutating func readExtensions(_ field: DERElement, _ most: Int) {
    guard let list = DERElement(der, in: field.content),
      let extensions = DERElement.all(der, in: list.content, most: most)
    else { return }
    for item in extensions {
      guard let parts = DERElement.all(der, in: item.content, most: 4), let type = parts.first,
        let octets = parts.last, octets.isUniversal, octets.tag == V_ASN1_OCTET_STRING
      else { continue }
      elements += size(of: octets.content, depth: 0, most)
      guard let value = DERElement(der, in: octets.content) else { continue }
      // id-ce is 2.5.29.
      switch Array(der[type.content]) {
      case [0x55, 0x1d, 17]: names += count(value.content, most)
      case [0x55, 0x1d, 32], [0x55, 0x1d, 33]: policies += count(value.content, most)
      case [0x55, 0x1d, 30]:
        for subtrees in DERElement.all(der, in: value.content, most: most) ?? [] {
          constraints += count(subtrees.content, most)
        }
      default: break
      }
    }
  }

  /// Elements one after the other; what is none counts as none.
  private func count(_ range: Range<Int>, _ most: Int) -> Int {
    DERElement.all(der, in: range, most: most)?.count ?? most
  }

  /// Elements at every depth, at most one more than `most`.
  private func size(of range: Range<Int>, depth: Int, _ most: Int) -> Int {
    guard depth < Self.deepest else { return most + 1 }
    var rest = range
    var size = 0
    while size <= most, let element = DERElement(der, in: rest) {
      size += 1
      if element.isConstructed { size += self.size(of: element.content, depth: depth + 1, most - size) }
      rest = element.whole.upperBound..<range.upperBound
    }
    return size
  }
}
