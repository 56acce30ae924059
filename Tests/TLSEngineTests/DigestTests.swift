import TLSEngine
import Testing

struct DigestTests {
  struct Vector: Sendable {
    let key: [UInt8]
    let data: [UInt8]
    let code: String
  }

  /// RFC 4231 §4.2, §4.3, and §4.7, whose key is longer than a block.
  static let vectors = [
    Vector(
      key: .init(repeating: 0x0b, count: 20), data: Array("Hi There".utf8),
      code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    Vector(
      key: Array("Jefe".utf8), data: Array("what do ya want for nothing?".utf8),
      code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    Vector(
      key: .init(repeating: 0xaa, count: 131),
      data: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
      code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
  ]

  @Test(arguments: vectors) func aCodeIsThatOfTheStandard(_ vector: Vector) {
    let code = SHA256.authenticate(vector.data, key: vector.key)
    #expect(code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == vector.code)
  }

  /// Why the hash of an audit key is never told: HMAC takes a long key by it (RFC 2104 §2).
  @Test func theHashOfALongKeyIsTheKey() {
    let key = [UInt8](repeating: 0xaa, count: 131)
    let data = Array("data".utf8)
    #expect(SHA256.authenticate(data, key: key) == SHA256.authenticate(data, key: SHA256.hash(key)))
  }
}
