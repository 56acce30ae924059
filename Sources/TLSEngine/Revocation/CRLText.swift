/// The parts of a CRL's DER (RFC 5280 §5.1), found without decoding its entries: there may be a million of
/// them, and OpenSSL's objects for all of them at once take half a gigabyte.
struct CRLText {
  /// TBSCertList, which is what is signed.
  let signed: Range<Int>
  /// The content of revokedCertificates; empty where there is none.
  let entries: Range<Int>
  /// The same CRL without entries: everything about it but those, for OpenSSL to decode.
  let header: [UInt8]

  init(_ der: [UInt8]) throws(CRLProblem) {
    guard let outer = DERElement(der, in: 0..<der.count), outer.isSequence else {
      throw .malformed("it is no ASN.1 sequence")
    }
    guard outer.whole.upperBound == der.count else { throw .malformed("bytes are left over behind it") }
    guard let parts = DERElement.all(der, in: outer.content), parts.count == 3, parts[0].isSequence,
      let fields = DERElement.all(der, in: parts[0].content)
    else { throw .malformed("it is not a CertificateList of RFC 5280") }
    // RFC 5280 §5.1.1.2: the algorithm beside the signature is the one that is signed.
    guard let algorithm = fields.first(where: \.isSequence),
      der[algorithm.whole].elementsEqual(der[parts[1].whole])
    else { throw .malformed("it names two signature algorithms") }
    signed = parts[0].whole
    // TBSCertList is version, signature, issuer, thisUpdate, nextUpdate, revokedCertificates, [0]; the only
    // sequence behind a time is that of the entries.
    let times = fields.lastIndex(where: \.isTime) ?? fields.count
    let list = fields.indices.first { $0 > times && fields[$0].isSequence }
    entries = list.map { fields[$0].content } ?? 0..<0
    let kept = fields.indices.filter { $0 != list }.flatMap { der[fields[$0].whole] }
    header = DER.sequence(DER.element(0x30, kept), Array(der[parts[1].whole]), Array(der[parts[2].whole]))
  }
}
