import AccessPolicy
import Testing

@testable import GatewayConfiguration

/// Files with one byte changed at each place: none of them traps, and each is accepted or refused with a
/// reason that points into the file.
struct BrokenFilesTests {
  /// Bytes that mean something to YAML, to our texts, or to UTF-8.
  private static let bytes: [UInt8] = Array("{[*&!:-#\"'\n\t0 ".utf8) + [0x00, 0x7F, 0xC3, 0xFF]

  private func check(
    _ text: String, _ read: ([UInt8]) -> (accepted: Bool, diagnostics: [Diagnostic])
  ) -> Int {
    let original = Array(text.utf8)
    let lines = original.count(where: { $0 == UInt8(ascii: "\n") }) + 3
    var refused = 0
    for position in original.indices {
      for offset in 0..<3 {
        var broken = original
        broken[position] = Self.bytes[(position * 7 + offset * 5) % Self.bytes.count]
        let (accepted, diagnostics) = read(broken)
        #expect(accepted == !diagnostics.contains { $0.severity == .error })
        #expect(diagnostics.allSatisfy { $0.location.line <= lines && !$0.message.isEmpty })
        if !accepted { refused += 1 }
      }
      let (accepted, diagnostics) = read(Array(original[..<position]))
      #expect(accepted == !diagnostics.contains { $0.severity == .error })
    }
    return refused
  }

  @Test func configurations() {
    let refused = check(Example.configuration) { bytes in
      let (configuration, diagnostics) = ConfigurationReader.read(bytes, file: "c.yaml")
      return (configuration != nil, diagnostics)
    }
    #expect(refused > 300)
  }

  @Test func policies() {
    let refused = check(ValidPolicyTests.policy) { bytes in
      let (document, diagnostics) = PolicyReader.read(bytes, file: "p.yaml")
      return (document != nil, diagnostics)
    }
    #expect(refused > 1000)
  }
}
