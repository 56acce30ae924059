import Synchronization

/// The CRLs of some files, parsed once however many verifiers ask for them: a listener has a verifier for
/// each of its hosts, and a CRL may have a million entries.
final class SharedRevocationLists: Sendable {
  private typealias Parsed = Result<[RevocationList], TLSConfigurationError>

  private let files: [[UInt8]]
  private let parsed = Mutex<Parsed?>(nil)

  init(files: [[UInt8]]) { self.files = files }

  /// - Returns: the CRLs of all files, in their order.
  func read() throws(TLSConfigurationError) -> [RevocationList] {
    let result = parsed.withLock { parsed -> Parsed in
      if let parsed { return parsed }
      let made = Self.parse(files)
      parsed = made
      return made
    }
    return try result.get()
  }

  private static func parse(_ files: [[UInt8]]) -> Parsed {
    do throws(TLSConfigurationError) {
      var lists: [RevocationList] = []
      for (index, bytes) in files.enumerated() { lists += try CRLFile.lists(bytes, file: index) }
      return .success(lists)
    } catch { return .failure(error) }
  }
}
