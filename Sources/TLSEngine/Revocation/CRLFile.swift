/// Reads a file of CRLs: one in DER, or any number in PEM. A list that cannot be used is an error, never left
/// out: whom it revokes would be let in.
enum CRLFile {
  /// - Parameter file: the file's place among the configured ones, for errors.
  static func lists(_ bytes: [UInt8], file: Int) throws(TLSConfigurationError) -> [RevocationList] {
    // A SEQUENCE; PEM begins with text.
    if bytes.first == 0x30 { return [try list(bytes, file: file, number: nil)] }
    guard let blocks = PEMReader.blocks(bytes) else {
      throw TLSConfigurationError(
        .clientCRL, "pem-broken", "a PEM block is broken: its base64 text or its END line is wrong",
        hint: "fetch the file again; each CRL ends with -----END X509 CRL-----", file: file)
    }
    guard !blocks.isEmpty else {
      throw TLSConfigurationError(
        .clientCRL, "no-crl", "neither DER nor a PEM block \"X509 CRL\" was found",
        hint: "openssl crl -in FILE -noout -text shows what a CRL says", file: file)
    }
    var lists: [RevocationList] = []
    for (index, block) in blocks.enumerated() {
      guard block.label == "X509 CRL" else {
        throw TLSConfigurationError(
          .clientCRL, "unexpected-block", "a PEM block \"\(block.label)\", expected X509 CRL only",
          hint: block.isCertificate ? "certificates of CAs belong into client_ca" : nil, file: file)
      }
      lists.append(try list(block.bytes, file: file, number: blocks.count > 1 ? index + 1 : nil))
    }
    return lists
  }

  private static func list(
    _ der: [UInt8], file: Int, number: Int?
  ) throws(TLSConfigurationError) -> RevocationList {
    do throws(CRLProblem) {
      return try RevocationList(der: der, file: file)
    } catch {
      let name = number.map { "CRL \($0)" } ?? "the CRL"
      throw TLSConfigurationError(
        .clientCRL, error.code, "\(name) \(error.message)", hint: error.hint, file: file)
    }
  }
}

/// Why a CRL cannot be used; the message goes on behind its name.
struct CRLProblem: Error {
  var code: String
  var message: String
  var hint: String?

  init(_ code: String, _ message: String, hint: String? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
  }

  static func malformed(_ what: String) -> CRLProblem {
    CRLProblem(
      "crl-malformed", "cannot be parsed: \(what)", hint: "fetch it again; openssl crl -in FILE -noout -text")
  }
}
