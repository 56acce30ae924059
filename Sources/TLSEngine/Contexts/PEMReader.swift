import COpenSSL

/// One block of a PEM file (RFC 7468): its label and its decoded bytes.
struct PEMBlock {
  var label: String
  /// RFC 1421 headers, such as `Proc-Type: 4,ENCRYPTED`; empty in modern files.
  var header: String
  /// Empty for private keys, which nobody here reads so.
  var bytes: [UInt8]

  var isCertificate: Bool { label == "CERTIFICATE" || label == "X509 CERTIFICATE" }
  var isPrivateKey: Bool { label.hasSuffix("PRIVATE KEY") }
  /// Parameters that older tools write before an EC or DH key.
  var isParameters: Bool { label.hasSuffix("PARAMETERS") }
}

enum PEMReader {
  /// - Returns: the blocks in the order of the file, or nil where one is broken. Text between blocks is
  ///   explanatory (RFC 7468 §2) and skipped, so a file without any gives an empty list.
  static func blocks(_ text: [UInt8]) -> [PEMBlock]? {
    unsafe withMemoryBIO(text) { bio -> [PEMBlock]? in
      var blocks: [PEMBlock] = []
      while true {
        ERR_clear_error()
        switch unsafe next(bio) {
        case .block(let block): blocks.append(block)
        case .end: return blocks
        case .broken: return nil
        }
      }
    }
  }

  private enum Step { case block(PEMBlock), end, broken }

  private static func next(_ bio: OpaquePointer) -> Step {
    var name: UnsafeMutablePointer<CChar>?
    var header: UnsafeMutablePointer<CChar>?
    var data: UnsafeMutablePointer<UInt8>?
    var length = 0
    guard unsafe PEM_read_bio(bio, &name, &header, &data, &length) == 1 else {
      // Only the end of the text reads as "no start line"; a block that began and is broken does not.
      let error = ERR_peek_last_error()
      ERR_clear_error()
      return ERR_GET_REASON(error) == PEM_R_NO_START_LINE ? .end : .broken
    }
    let label = unsafe name.map { unsafe String(cString: $0) } ?? ""
    let isPrivate = label.hasSuffix("PRIVATE KEY")
    defer {
      // A key that stands among certificates leaves no copy behind.
      if isPrivate { unsafe OPENSSL_cleanse(data, max(0, length)) }
      unsafe CRYPTO_free(name, nil, 0)
      unsafe CRYPTO_free(header, nil, 0)
      unsafe CRYPTO_free(data, nil, 0)
    }
    return unsafe .block(
      PEMBlock(
        label: label,
        header: header.map { unsafe String(cString: $0) } ?? "",
        bytes: isPrivate ? [] : [UInt8](UnsafeBufferPointer(start: data, count: length))))
  }
}

/// Runs `body` with a read-only memory BIO over the bytes; nil where memory is short.
func withMemoryBIO<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) -> Result?) -> Result? {
  unsafe bytes.withUnsafeBytes { buffer in
    // BIO_new_mem_buf(3) takes an int, and reads a string's length where it is -1.
    guard let count = Int32(exactly: buffer.count), let start = buffer.baseAddress,
      let bio = unsafe BIO_new_mem_buf(start, count)
    else { return nil }
    defer { unsafe BIO_free(bio) }
    return unsafe body(bio)
  }
}
